// Opens many readers. Takes one JSON argument {system, url, streams, each, expect, out, …}, prints "ready"
// when all are live, "all" when all was delivered; on "end" writes each delivery (reader, stream, number, microseconds) to `out`
// and prints its own figures.
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { now } from "./clock.mjs";
import { open } from "./wires.mjs";

const plan = JSON.parse(process.argv[2]);
const deliveries = [];
let frames = 0;
let bytes = 0;
let left = plan.streams.length * plan.each * plan.expect;
const readers = [];

const onDelivery = (reader, stream) => ({
  frame(size) {
    frames += 1;
    bytes += size;
  },
  number(n) {
    deliveries.push(reader, stream, n, now());
    left -= 1;
    if (left === 0) process.stdout.write("all\n");
  },
});

for (let reader = 0; reader < plan.streams.length * plan.each; reader += 1) {
  const stream = reader % plan.streams.length;
  readers.push(open(plan, plan.streams[stream], onDelivery(reader, stream)));
}
const opened = await Promise.all(readers);
const began = process.cpuUsage();
process.stdout.write("ready\n");

createInterface({ input: process.stdin }).on("line", (line) => {
  if (line !== "end") return;
  const { user, system } = process.cpuUsage(began);
  const lines = [];
  for (let at = 0; at < deliveries.length; at += 4) lines.push(deliveries.slice(at, at + 4).join(","));
  writeFileSync(plan.out, lines.join("\n"));
  process.stdout.write(`${JSON.stringify({ frames, bytes, cpu_s: (user + system) / 1e6 })}\n`);
  for (const one of opened) one.close();
  process.exit(0);
});
