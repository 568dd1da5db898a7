import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "ds/net/connection.js";
import { started } from "./connected.js";
import { SESSION, settle, World } from "./world.js";

test("says hello first and is live with the welcome", () => {
  const { world, names } = started();
  world.socket.onopen?.();
  assert.deepEqual(world.socket.sent, [{ type: "hello", device: "d", label: "Test" }]);
  world.socket.welcome();
  assert.deepEqual(names, ["connecting", "connecting", "live"]);
});

test("pings after 25 s of silence, and drops the socket after 5 s without an answer", () => {
  const { world, names } = started();
  world.socket.welcome();
  const { socket } = world;
  world.pass(25_000);
  assert.equal(socket.sentOf("ping").length, 1);
  world.pass(6_000);
  assert.ok(socket.closed);
  assert.equal(world.sockets.length, 2);
  assert.equal(names.at(-1), "reconnecting");
});

test("a pong keeps the socket", () => {
  const { world } = started();
  world.socket.welcome();
  world.pass(25_000);
  world.socket.deliver({ type: "pong", heads: {} });
  world.pass(20_000);
  assert.equal(world.sockets.length, 1);
});

test("reconnects at once, then with growing jitter", () => {
  const { world, connection } = started();
  world.socket.welcome();
  world.pass(10_000);
  world.socket.drop();
  world.pass(0);
  const waits = [250, 500, 1_000, 2_000, 2_000, 2_000].map((ms) => {
    const count = world.sockets.length;
    world.socket.drop();
    world.pass(ms - 1);
    assert.equal(world.sockets.length, count, `too early, before ${ms}`);
    world.pass(1);
    return world.sockets.length - count;
  });
  assert.deepEqual(new Set(waits), new Set([1]));
  assert.equal(connection.status.name, "reconnecting");
});

test("a wake resets the wait and tries at once", () => {
  const { world } = started();
  for (let i = 0; i < 6; i++) {
    world.socket.drop();
    world.pass(i === 5 ? 0 : 60_000);
  }
  const count = world.sockets.length;
  world.wake();
  assert.equal(world.sockets.length, count + 1);
});

test("pings after a sleep", () => {
  const { world } = started();
  world.socket.welcome();
  world.sleep(10_000);
  world.pass(1_000);
  assert.equal(world.socket.sentOf("ping").length, 1);
});

test("a goodbye sets the time of the next attempt", () => {
  const { world, connection } = started();
  world.socket.welcome();
  world.socket.deliver({ type: "goodbye", code: 1012, reason: "restart", retry_after_ms: 3_000 });
  world.socket.drop(1012);
  assert.deepEqual(connection.status, { name: "reconnecting", at: world.time + 3_000 });
  world.pass(2_999);
  assert.equal(world.sockets.length, 1);
  world.pass(1);
  assert.equal(world.sockets.length, 2);
});

test("a server that restarts or is busy is not tried at once", () => {
  for (const code of [1012, 1013]) {
    const { world, connection } = started();
    world.socket.welcome();
    world.pass(10_000);
    world.socket.drop(code);
    assert.deepEqual(connection.status, { name: "reconnecting", at: world.time + 250 });
  }
});

test("tries an address again that the browser refuses", () => {
  const world = new World();
  const environment = { ...world.environment, open: () => assert.fail("no such scheme") };
  const connection = new Connection({ url: "gopher://x", device: "d", environment });
  connection.start();
  assert.equal(connection.status.name, "reconnecting");
});

test("signed out and refused last until the person asks; too slow reconnects", () => {
  for (const [code, name] of /** @type {const} */ ([
    [4401, "signed_out"],
    [4400, "refused"],
    [4409, "refused"],
  ])) {
    const { world, connection } = started();
    world.socket.drop(code);
    world.pass(120_000);
    world.wake();
    assert.equal(connection.status.name, name);
    assert.equal(world.sockets.length, 1);
    connection.retryNow();
    assert.equal(world.sockets.length, 2);
  }
  const { world } = started();
  world.socket.welcome().drop(4408);
  world.pass(0);
  assert.equal(world.sockets.length, 2);
});

test("reports offline without a network, and goes on trying", () => {
  const { world, connection } = started();
  world.isOnline = false;
  world.socket.drop();
  assert.equal(connection.status.name, "offline");
  world.pass(0);
  assert.equal(world.sockets.length, 2);
});

test("closing is for good", async () => {
  const { world, connection } = started();
  world.socket.welcome();
  const done = connection.command({ type: "cancel", id: "c1", session: SESSION });
  connection.close();
  await assert.rejects(done, { code: "closed" });
  world.pass(60_000);
  await settle();
  assert.equal(world.sockets.length, 1);
  assert.equal(connection.status.name, "closed");
});
