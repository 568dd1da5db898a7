import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { due } from "ds/core/outbox.js";
import { Connection } from "ds/net/connection.js";
import { Outbox } from "ds/net/outbox.js";
import { memoryStore, openStore } from "ds/net/outbox-store.js";
import { OTHER, SESSION, settle, World } from "./world.js";

/** @import { Store } from "ds/net/outbox-store.js" */

/** Opens a page with an outbox on this store. @param {{store?: Store, user?: string}} [options] */
async function page({ store = memoryStore(), user = "1" } = {}) {
  const world = new World();
  const connection = new Connection({ url: "ws://x/ws/", device: "d", environment: world.environment });
  const outbox = new Outbox({ connection, user, store });
  /** @type {string[]} */
  let shown = [];
  outbox.watch((entries) => {
    shown = entries.map(({ parts, state }) => `${parts[0]?.text} ${state}`);
  });
  connection.start();
  await outbox.open();
  const write = (/** @type {string} */ text, session = SESSION) =>
    outbox.post({ session, parts: [{ type: "text", text }] });
  const sent = () => world.socket.sentOf("post").map(({ parts }) => parts[0].text);
  return { world, connection, outbox, write, sent, shown: () => shown };
}

/** Waits until the fact is true; IndexedDB has timers of its own. @param {() => boolean | Promise<boolean>} fact */
async function until(fact) {
  const end = Date.now() + 5_000;
  while (!(await fact())) {
    assert.ok(Date.now() < end, `never: ${fact}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("posts of a Session are sent one at a time, in order; Sessions do not wait for each other", async () => {
  const { world, write, sent } = await page();
  world.socket.welcome();
  for (const text of ["a", "b"]) write(text);
  write("c", OTHER);
  await settle();
  assert.deepEqual(sent(), ["a", "c"]);
  world.socket.deliver({ type: "ok", id: world.socket.sentOf("post")[0].id, seq: 1 });
  await settle();
  assert.deepEqual(sent(), ["a", "c", "b"]);
});

test("posts written offline survive the page and arrive once, in order, with the same ids", async () => {
  const store = openStore();
  const first = await page({ store });
  await Promise.all(["a", "b"].map((text) => first.write(text).kept));
  assert.deepEqual(first.shown(), ["a waiting", "b waiting"]);
  const second = await page({ store });
  second.world.socket.welcome();
  await until(() => second.sent().length === 1);
  const { id } = second.world.socket.sentOf("post")[0];
  second.world.socket.drop();
  const third = await page({ store });
  third.world.socket.welcome();
  await until(() => third.sent().length === 1);
  assert.equal(third.world.socket.sentOf("post")[0].id, id);
  third.world.socket.deliver({ type: "ok", id, seq: 1 });
  await until(() => third.sent().length === 2);
  third.world.socket.deliver({ type: "ok", id: third.world.socket.sentOf("post")[1].id, seq: 2 });
  await until(() => third.shown().length === 0);
  const last = openStore();
  await until(async () => (await last.all("1")).length === 0);
});

test("after a refusal that may pass, the post is sent again with its id, before later ones", async () => {
  const { world, write, sent } = await page();
  world.socket.welcome();
  write("a");
  write("b");
  await settle();
  const { id } = world.socket.sentOf("post")[0];
  world.socket.deliver({
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
  assert.equal(world.socket.sentOf("post")[1].id, id);
});

test("a final refusal is shown, lets the next post go, and can be retried or discarded", async () => {
  const { world, outbox, write, sent, shown } = await page();
  world.socket.welcome();
  const { entry } = write("a");
  write("b");
  await settle();
  const refusal = {
    type: "error",
    id: entry.id,
    code: "read_only",
    message: "You can read here.",
    retry: false,
  };
  world.socket.deliver(refusal);
  await settle();
  assert.deepEqual(shown(), ["a failed", "b sending"]);
  assert.equal(entry.refused?.message, "You can read here.");
  world.socket.deliver({ type: "ok", id: world.socket.sentOf("post")[1].id, seq: 1 });
  await settle();
  await outbox.retry(entry.id);
  await settle();
  assert.deepEqual(sent(), ["a", "b", "a"]);
  world.socket.deliver(refusal);
  await settle();
  await outbox.discard(entry.id);
  assert.deepEqual(shown(), []);
});

test("a user does not send the posts of another user of the same browser", async () => {
  const store = memoryStore();
  const alice = await page({ store, user: "1" });
  await alice.write("mine").kept;
  const bob = await page({ store, user: "2" });
  bob.world.socket.welcome({ user: "2" });
  await settle();
  assert.deepEqual([bob.sent(), bob.shown()], [[], []]);
  const stale = await page({ store, user: "1" });
  stale.world.socket.welcome({ user: "2" });
  await settle();
  assert.deepEqual(stale.sent(), []);
});

test("a post that cannot be stored is still sent", async () => {
  const store = { ...memoryStore(), add: () => Promise.reject(new Error("disk full")) };
  const { world, write, sent } = await page({ store });
  world.socket.welcome();
  await assert.rejects(write("a").kept);
  await settle();
  assert.deepEqual(sent(), ["a"]);
});

test("the oldest post of a Session is due, unless one is on its way", () => {
  const entry = (/** @type {number} */ order, /** @type {any} */ state, session = SESSION) =>
    /** @type {any} */ ({ order, state, session });
  const orders = (/** @type {any[]} */ entries) => due(entries).map(({ order }) => order);
  assert.deepEqual(orders([entry(2, "waiting"), entry(1, "waiting"), entry(3, "waiting", OTHER)]), [1, 3]);
  assert.deepEqual(orders([entry(1, "sending"), entry(2, "waiting")]), []);
  assert.deepEqual(orders([entry(1, "failed"), entry(2, "waiting")]), [2]);
});
