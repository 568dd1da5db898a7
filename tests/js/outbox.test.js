import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { due } from "ds/core/outbox.js";
import { Connection } from "ds/net/connection.js";
import { Outbox } from "ds/net/outbox.js";
import { memoryStore, openStore } from "ds/net/outbox-store.js";
import { OTHER, SESSION, settle, World } from "./world.js";

/** @import { Store } from "ds/net/outbox-store.js" */

/** A page with an outbox on this store. @param {{store?: Store, user?: string}} [options] */
async function page({ store = memoryStore(), user = "1" } = {}) {
  const world = new World();
  const connection = new Connection({ url: "ws://x/ws/", device: "d", surroundings: world.surroundings });
  const outbox = new Outbox({ connection, user, store });
  /** @type {string[]} */
  let shown = [];
  outbox.watch((entries) => {
    shown = entries.map(({ parts, state }) => `${parts[0]?.text} ${state}`);
  });
  connection.start();
  await outbox.open();
  const say = (/** @type {string} */ text, session = SESSION) =>
    outbox.post({ session, parts: [{ type: "text", text }] });
  const sent = () => world.socket.got("post").map(({ parts }) => parts[0].text);
  return { world, connection, outbox, say, sent, shown: () => shown };
}

/** Wait for a fact, also behind IndexedDB's own timers. @param {() => boolean | Promise<boolean>} fact */
async function until(fact) {
  const end = Date.now() + 5_000;
  while (!(await fact())) {
    assert.ok(Date.now() < end, `never: ${fact}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("posts of one Session go one at a time, in their order; Sessions do not wait for each other", async () => {
  const { world, say, sent } = await page();
  world.socket.welcome();
  for (const text of ["a", "b"]) say(text);
  say("c", OTHER);
  await settle();
  assert.deepEqual(sent(), ["a", "c"]);
  world.socket.say({ type: "ok", id: world.socket.got("post")[0].id, seq: 1 });
  await settle();
  assert.deepEqual(sent(), ["a", "c", "b"]);
});

test("what was written offline survives the page and arrives once, in order, with the same ids", async () => {
  const store = openStore();
  const first = await page({ store });
  await Promise.all(["a", "b"].map((text) => first.say(text).kept));
  assert.deepEqual(first.shown(), ["a waiting", "b waiting"]);
  const second = await page({ store });
  second.world.socket.welcome();
  await until(() => second.sent().length === 1);
  const { id } = second.world.socket.got("post")[0];
  second.world.socket.drop();
  const third = await page({ store });
  third.world.socket.welcome();
  await until(() => third.sent().length === 1);
  assert.equal(third.world.socket.got("post")[0].id, id);
  third.world.socket.say({ type: "ok", id, seq: 1 });
  await until(() => third.sent().length === 2);
  third.world.socket.say({ type: "ok", id: third.world.socket.got("post")[1].id, seq: 2 });
  await until(() => third.shown().length === 0);
  const last = openStore();
  await until(async () => (await last.all("1")).length === 0);
});

test("a refusal that may pass is tried again with the same id, and holds up what was written after it", async () => {
  const { world, say, sent } = await page();
  world.socket.welcome();
  say("a");
  say("b");
  await settle();
  const { id } = world.socket.got("post")[0];
  world.socket.say({
    type: "error",
    id,
    code: "rate_limited",
    message: "",
    retry: true,
    retry_after_ms: 2_000,
  });
  await settle();
  assert.deepEqual(sent(), ["a"]);
  world.pass(2_000);
  await settle();
  assert.deepEqual(sent(), ["a", "a"]);
  assert.equal(world.socket.got("post")[1].id, id);
});

test("a refusal for good is shown with its sentence, lets the next go, and can be sent again or thrown away", async () => {
  const { world, outbox, say, sent, shown } = await page();
  world.socket.welcome();
  const { entry } = say("a");
  say("b");
  await settle();
  const refusal = {
    type: "error",
    id: entry.id,
    code: "read_only",
    message: "You can read here.",
    retry: false,
  };
  world.socket.say(refusal);
  await settle();
  assert.deepEqual(shown(), ["a failed", "b sending"]);
  assert.equal(entry.refused?.message, "You can read here.");
  world.socket.say({ type: "ok", id: world.socket.got("post")[1].id, seq: 1 });
  await settle();
  await outbox.retry(entry.id);
  await settle();
  assert.deepEqual(sent(), ["a", "b", "a"]);
  world.socket.say(refusal);
  await settle();
  await outbox.discard(entry.id);
  assert.deepEqual(shown(), []);
});

test("nobody sends what another person wrote in the same browser", async () => {
  const store = memoryStore();
  const alice = await page({ store, user: "1" });
  await alice.say("mine").kept;
  const bob = await page({ store, user: "2" });
  bob.world.socket.welcome({ user: "2" });
  await settle();
  assert.deepEqual([bob.sent(), bob.shown()], [[], []]);
  const stale = await page({ store, user: "1" });
  stale.world.socket.welcome({ user: "2" });
  await settle();
  assert.deepEqual(stale.sent(), []);
});

test("where nothing can be kept it is still sent", async () => {
  const store = { ...memoryStore(), add: () => Promise.reject(new Error("disk full")) };
  const { world, say, sent } = await page({ store });
  world.socket.welcome();
  await assert.rejects(say("a").kept);
  await settle();
  assert.deepEqual(sent(), ["a"]);
});

test("the oldest that waits is due, unless one of its Session is on its way", () => {
  const entry = (/** @type {number} */ order, /** @type {any} */ state, session = SESSION) =>
    /** @type {any} */ ({ order, state, session });
  const orders = (/** @type {any[]} */ entries) => due(entries).map(({ order }) => order);
  assert.deepEqual(orders([entry(2, "waiting"), entry(1, "waiting"), entry(3, "waiting", OTHER)]), [1, 3]);
  assert.deepEqual(orders([entry(1, "sending"), entry(2, "waiting")]), []);
  assert.deepEqual(orders([entry(1, "failed"), entry(2, "waiting")]), [2]);
});
