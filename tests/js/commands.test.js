import assert from "node:assert/strict";
import { test } from "node:test";
import { started } from "./connected.js";
import { SESSION } from "./world.js";

test("a command keeps its id over sockets until it is answered", async () => {
  const { world, connection } = started();
  const done = connection.command({ type: "cancel", id: "c1", session: SESSION });
  world.socket.welcome().drop();
  world.pass(1_000);
  world.socket.welcome();
  assert.deepEqual(world.socket.sentOf("cancel"), [{ type: "cancel", id: "c1", session: SESSION }]);
  world.socket.deliver({ type: "ok", id: "c1", seq: 7 });
  assert.equal((await done).seq, 7);
  world.socket.drop();
  world.pass(1_000);
  world.socket.welcome();
  assert.deepEqual(world.socket.sentOf("cancel"), []);
});

test("a refused command rejects with the server's code, sentence and wait", async () => {
  const { world, connection } = started();
  world.socket.welcome();
  const done = connection.command({ type: "cancel", id: "c1", session: SESSION });
  const frame = { type: "error", id: "c1", code: "busy", message: "Busy.", retry: true, retry_after_ms: 5 };
  world.socket.deliver(frame);
  await assert.rejects(done, { code: "busy", message: "Busy.", retry: true, retryAfterMs: 5 });
});

test("a frame over the server's limit is refused before it is sent, a message of any script is not", async () => {
  const { world, connection } = started();
  const post = (/** @type {string} */ id, /** @type {string} */ text) =>
    connection.command({ type: "post", id, session: SESSION, parts: [{ type: "text", text }] });
  const early = post("early", "é".repeat(300_000));
  world.socket.welcome({ limits: { frame_bytes: 512 * 1024 } });
  await assert.rejects(early, { code: "too_large" });
  await assert.rejects(post("late", "é".repeat(300_000)), { code: "too_large" });
  for (const character of ["漢", "🎉", "\u0001"]) void post(character, character.repeat(32_000));
  assert.equal(world.socket.sentOf("post").length, 3);
});

test("a command of one user is not sent when another has signed in", async () => {
  const { world, connection } = started();
  world.socket.welcome({ user: "1" });
  const done = connection.command({ type: "cancel", id: "c1", session: SESSION });
  world.socket.drop();
  world.pass(1_000);
  world.socket.welcome({ user: "2" });
  await assert.rejects(done, { code: "closed" });
  assert.deepEqual(world.socket.sentOf("cancel"), []);
});
