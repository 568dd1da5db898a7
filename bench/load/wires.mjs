// Opens one reader of each system. Resolves once it is live, and calls `on.frame` and `on.number` for what it receives.
import http from "node:http";
import { connect, consumerOpts } from "nats";
import WebSocket from "ws";

export const open = (plan, stream, on) => ({ ours, channels, floor: channels, jetstream, socketio, durable })[plan.system](plan, stream, on);

const numbers = (text, on) => {
  for (const word of text.split(" ")) if (word) on.number(Number(word));
};

const ours = (plan, session, on) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(plan.url, "durable-sessions.v1", {
      headers: { Authorization: `Bearer ${plan.token}` },
      perMessageDeflate: false,
    });
    let cursor = plan.cursors[session];
    socket.on("open", () => socket.send(JSON.stringify({ type: "hello", device: crypto.randomUUID() })));
    socket.on("error", reject);
    socket.on("close", (code) => code === 1005 || reject(new Error(`closed with ${code}`)));
    socket.on("message", (data) => {
      const frame = JSON.parse(data);
      if (frame.type === "welcome") socket.send(JSON.stringify({ type: "subscribe", session, after: cursor, epoch: 1 }));
      else if (frame.type === "subscribed") resolve(socket);
      else if (frame.type === "events") {
        if (frame.from !== cursor) reject(new Error(`range from ${frame.from} at cursor ${cursor}`));
        cursor = frame.to;
        on.frame(data.length);
        for (const event of frame.events) {
          if (event.kind === "message.delta") numbers(event.data.text, on);
          else if (event.kind === "run.progressed") on.number(Number(event.data.label));
        }
      }
    });
  });

const channels = (plan, stream, on) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${plan.url}${stream}/`, { perMessageDeflate: false });
    socket.on("error", reject);
    socket.on("message", (data) => {
      const frame = JSON.parse(data);
      if (frame.type === "joined") resolve(socket);
      else {
        on.frame(data.length);
        numbers(frame.text, on);
      }
    });
  });

// NATS JetStream: a push consumer for each reader. The publisher has made the stream; a reader starts with what is new.
const jetstream = async (plan, stream, on) => {
  const nats = await connect({ servers: plan.url });
  const manager = await nats.jetstreamManager();
  await manager.streams.add({ name: stream, subjects: [`${stream}.>`], storage: "file" });
  const options = consumerOpts().deliverNew().ackNone().deliverTo(`inbox.${crypto.randomUUID()}`);
  options.callback((error, message) => {
    if (error) throw error;
    if (!message) return; // a heartbeat
    on.frame(message.data.length);
    numbers(message.json().text, on);
  });
  await nats.jetstream().subscribe(`${stream}.text`, options);
  return nats;
};

// Socket.IO 4 on Engine.IO 4, spoken by hand: 0 open, 2 ping, 3 pong, 40 connected, 42 event.
const socketio = (plan, stream, on) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${plan.url}/socket.io/?EIO=4&transport=websocket&stream=${stream}`, {
      perMessageDeflate: false,
    });
    socket.on("error", reject);
    socket.on("message", (data) => {
      const text = data.toString();
      if (text[0] === "0") socket.send("40");
      else if (text === "2") socket.send("3");
      else if (text.startsWith("42")) {
        const [name, value] = JSON.parse(text.slice(2));
        if (name === "joined") resolve(socket);
        else {
          on.frame(data.length);
          numbers(value.text, on);
        }
      }
    });
  });

// Durable Streams: server-sent events from the end of the stream.
const durable = (plan, stream, on) =>
  new Promise((resolve, reject) => {
    const request = http.get(`${plan.url}/${stream}?offset=${plan.offset}&live=sse`, (response) => {
      response.setEncoding("utf8");
      let rest = "";
      response.on("data", (chunk) => {
        const blocks = (rest + chunk).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) {
          if (block.startsWith("event: control")) resolve({ close: () => request.destroy() });
          else if (block.startsWith("event: data")) {
            on.frame(block.length);
            const data = block.split("\n").slice(1).map((line) => line.slice(line.indexOf(":") + 1)).join("\n");
            for (const value of JSON.parse(data)) numbers(value.text, on);
          }
        }
      });
    });
    request.on("error", reject);
  });
