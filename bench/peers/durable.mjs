// The Durable Streams server in file mode: durable, as ours. Arguments: port, folder.
import { DurableStreamTestServer } from "@durable-streams/server";

const [port, dataDir] = process.argv.slice(2);
const server = new DurableStreamTestServer({ port: Number(port), host: "127.0.0.1", dataDir, compression: false });
await server.start();
process.stdout.write("ready\n");
