import assert from "node:assert/strict";
import { test } from "node:test";
import { due, isRetried } from "ds/core/outbox.js";
import { Refused } from "ds/core/protocol.js";
import { memoryStore, page } from "./outbox_page.js";
import { OTHER, SESSION, settle } from "./world.js";

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

test("a refusal that passes when other answers come is for the person to repeat", () => {
  for (const code of ["run_active", "limit_reached"]) {
    assert.equal(isRetried(new Refused({ code, message: "", retry: true })), false);
  }
  assert.equal(isRetried(new Refused({ code: "busy", message: "", retry: true })), true);
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

test("the oldest post of a Session is due, unless one is on its way", () => {
  const entry = (/** @type {number} */ order, /** @type {any} */ state, session = SESSION) =>
    /** @type {any} */ ({ order, state, session });
  const orders = (/** @type {any[]} */ entries) => due(entries).map(({ order }) => order);
  assert.deepEqual(orders([entry(2, "waiting"), entry(1, "waiting"), entry(3, "waiting", OTHER)]), [1, 3]);
  assert.deepEqual(orders([entry(1, "sending"), entry(2, "waiting")]), []);
  assert.deepEqual(orders([entry(1, "failed"), entry(2, "waiting")]), [2]);
});
