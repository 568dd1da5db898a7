// Socket.IO with the Redis Streams adapter, as its documentation sets it up. Arguments: port, Valkey's socket.
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const [port, path] = process.argv.slice(2);
const redis = createClient({ socket: { path } });
await redis.connect();
const io = new Server({ adapter: createAdapter(redis), transports: ["websocket"], perMessageDeflate: false });
io.on("connection", (socket) => {
  socket.join(socket.handshake.query.stream);
  socket.emit("joined", {});
});
io.listen(Number(port));
process.stdout.write("ready\n");
