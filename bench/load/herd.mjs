// Opens many Connections. Takes one JSON argument {url, token, sessions, cursors, clients, mode}:
//   "herd"     opens all and prints "ready"; on "cut" drops all sockets at once and resumes from their cursors; prints how long
//              each took to reach the head, in ms
//   "idle"     opens all and stays until killed
//   "stalled"  opens all, subscribes, and never reads again
import { createInterface } from "node:readline";
import WebSocket from "ws";
import { now } from "./clock.mjs";

const plan = JSON.parse(process.argv[2]);
const cursors = [];
const devices = Array.from({ length: plan.clients }, () => crypto.randomUUID()); // an installation keeps its own

const open = (client) =>
  new Promise((resolve) => {
    const session = plan.sessions[client % plan.sessions.length];
    cursors[client] ??= plan.cursors[session];
    const headers = { Authorization: `Bearer ${plan.token}` };
    const socket = new WebSocket(plan.url, "durable-sessions.v1", { headers, perMessageDeflate: false });
    socket.on("open", () => socket.send(JSON.stringify({ type: "hello", device: devices[client] })));
    socket.on("error", () => setTimeout(() => open(client).then(resolve), 50 + Math.random() * 500));
    socket.on("message", (data) => {
      const frame = JSON.parse(data);
      if (frame.type === "welcome") {
        socket.send(JSON.stringify({ type: "subscribe", session, after: cursors[client], epoch: 1 }));
      } else if (frame.type === "subscribed") {
        if (plan.mode === "stalled") socket._socket.pause();
        socket.goal = frame.head;
        if (cursors[client] >= frame.head) socket.caughtUp?.();
        resolve(socket);
      } else if (frame.type === "error") {
        throw new Error(`${frame.code}: ${frame.message}`);
      } else if (frame.type === "events") {
        if (frame.from <= cursors[client] && frame.to > cursors[client]) cursors[client] = frame.to;
        if (cursors[client] >= socket.goal) socket.caughtUp?.();
      }
    });
  });

const openAll = async () => {
  const sockets = [];
  for (let first = 0; first < plan.clients; first += 50) {
    const some = Array.from({ length: Math.min(50, plan.clients - first) }, (_, n) => open(first + n));
    sockets.push(...(await Promise.all(some)));
  }
  return sockets;
};

const backAgain = async (began) => {
  const waits = Array.from({ length: plan.clients }, async (_, client) => {
    await new Promise((soon) => setTimeout(soon, Math.random() * 500)); // the client's own jitter
    const socket = await open(client);
    if (cursors[client] < socket.goal) await new Promise((done) => (socket.caughtUp = done));
    return (now() - began) / 1000;
  });
  return Promise.all(waits);
};

const sockets = await openAll();
process.stdout.write("ready\n");
createInterface({ input: process.stdin }).on("line", async (line) => {
  if (line !== "cut") return;
  const began = now();
  for (const socket of sockets) socket.terminate();
  process.stdout.write(`${JSON.stringify(await backAgain(began))}\n`);
});
