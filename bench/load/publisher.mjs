// Publishes to the peers in JavaScript. Takes one JSON argument {system, url, streams, every_us, count, out}. With `every_us` 0
// each number is sent when the one before was taken. Writes (stream, number, call, commit) in microseconds to `out`.
import { writeFileSync } from "node:fs";
import http from "node:http";
import { setImmediate as soon, setTimeout as wait } from "node:timers/promises";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { connect } from "nats";
import { createClient } from "redis";
import { Server } from "socket.io";
import { now } from "./clock.mjs";

const plan = JSON.parse(process.argv[2]);
const rows = [];

const emitter = async () => {
  const redis = createClient({ socket: { path: plan.redis } });
  await redis.connect();
  const io = new Server({ adapter: createAdapter(redis) });
  await wait(500); // the adapter begins to read its stream
  return async (stream, n) => {
    const at = now();
    io.to(stream).emit("delta", { text: `${n} `, pad: plan.pad });
    rows.push(plan.streams.indexOf(stream), n, at, at);
  };
};

const poster = async () => {
  const agent = new http.Agent({ keepAlive: true });
  return (stream, n) =>
    new Promise((resolve, reject) => {
      const called = now();
      const body = JSON.stringify({ text: `${n} `, pad: plan.pad });
      const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
      const request = http.request(`${plan.url}/${stream}`, { method: "POST", agent, headers }, (response) => {
        response.resume();
        response.on("end", () => {
          if (response.statusCode >= 300) reject(new Error(`status ${response.statusCode}`));
          rows.push(plan.streams.indexOf(stream), n, called, now());
          resolve();
        });
      });
      request.on("error", reject);
      request.end(body);
    });
};

// The server acknowledges an append when it has written it to its file; it does not wait for the disk.
const appender = async () => {
  const nats = await connect({ servers: plan.url });
  const jetstream = nats.jetstream();
  return async (stream, n) => {
    const called = now();
    await jetstream.publish(`${stream}.text`, JSON.stringify({ text: `${n} `, pad: plan.pad }));
    rows.push(plan.streams.indexOf(stream), n, called, now());
  };
};

const publish = await { socketio: emitter, durable: poster, jetstream: appender }[plan.system]();
const began = now() + 100_000;
await Promise.all(
  plan.streams.map(async (stream, index) => {
    for (let n = 0; n < plan.count; n += 1) {
      const due = began + n * plan.every_us + (index * plan.every_us) / plan.streams.length;
      if (plan.every_us > 0 && due > now()) await wait((due - now()) / 1000);
      else await soon();
      await publish(stream, n);
    }
  }),
);
await wait(500); // messages are sent in the background
const lines = [];
for (let at = 0; at < rows.length; at += 4) lines.push(rows.slice(at, at + 4).join(","));
writeFileSync(plan.out, lines.join("\n"));
process.exit(0);
