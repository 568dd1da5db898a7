import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "ds/net/connection.js";
import { OTHER, SESSION, settle, World } from "./world.js";

function started() {
  const world = new World();
  const connection = new Connection({
    url: "ws://x/ws/",
    device: "d",
    label: "Test",
    environment: world.environment,
  });
  /** @type {string[]} */
  const names = [];
  connection.watch(({ name }) => names.push(name));
  connection.start();
  return { world, connection, names };
}

/** @param {Partial<{epoch: number, from: number, to: number, seqs: number[], older: boolean, session: string}>} range */
function events({ epoch = 1, from = 0, to = 0, seqs = [], session = SESSION, ...rest }) {
  const list = seqs.map((seq) => ({
    seq,
    kind: "session.renamed",
    at: "2026-01-31T12:00:00.000Z",
    actor: { kind: "user", id: "1", name: "Alice" },
    run: null,
    data: { title: `t${seq}` },
  }));
  return { type: "events", session, epoch, from, to, events: list, ...rest };
}

/** @param {Partial<{epoch: number, head: number, restart: boolean}>} fields */
function subscribed({ epoch = 1, head = 0, restart = false }) {
  return { type: "subscribed", session: SESSION, epoch, head, role: "owner", restart };
}

/** @param {Connection} connection */
function follower(connection, start = /** @type {any} */ ({ last: 50 })) {
  /** @type {number[]} */
  const seqs = [];
  /** @type {import("ds/net/subscription-types.js").Range[]} */
  const ranges = [];
  /** @type {string[]} */
  const ends = [];
  const unfollow = connection.follow(SESSION, start, {
    events(list, range) {
      if (range.fresh) seqs.length = 0;
      seqs.push(...list.map(({ seq }) => seq));
      ranges.push(range);
    },
    removed: (reason) => ends.push(`removed ${reason}`),
    refused: ({ code }) => ends.push(`refused ${code}`),
  });
  return { seqs, ranges, ends, unfollow };
}

test("says hello first and is live with the welcome", () => {
  const { world, names } = started();
  world.socket.onopen?.();
  assert.deepEqual(world.socket.sent, [{ type: "hello", device: "d", label: "Test" }]);
  world.socket.welcome();
  assert.deepEqual(names, ["connecting", "connecting", "live"]);
});

test("a cold start subscribes to the newest Messages, and after a break at its cursor", () => {
  const { world, connection } = started();
  const { seqs, ranges } = follower(connection);
  world.socket.welcome();
  assert.deepEqual(world.socket.sentOf("subscribe"), [{ type: "subscribe", session: SESSION, last: 50 }]);
  world.socket.deliver(subscribed({ head: 9 }));
  world.socket.deliver(events({ from: 5, to: 9, seqs: [6, 9], older: true }));
  world.socket.drop();
  world.pass(0);
  world.socket.welcome();
  assert.deepEqual(world.socket.sentOf("subscribe"), [
    { type: "subscribe", session: SESSION, after: 9, epoch: 1 },
  ]);
  world.socket.deliver(subscribed({ head: 10 }));
  world.socket.deliver(events({ from: 9, to: 10, seqs: [10] }));
  assert.deepEqual(seqs, [6, 9, 10]);
  assert.deepEqual(
    ranges.map(({ fresh, older }) => [fresh, older]),
    [
      [true, true],
      [false, false],
    ],
  );
});

test("applies new Events, drops known ones, and subscribes again after a gap", () => {
  const { world, connection } = started();
  const { seqs } = follower(connection, { after: 5, epoch: 1 });
  world.socket.welcome().deliver(subscribed({ head: 8 }));
  world.socket.deliver(events({ from: 3, to: 5, seqs: [4, 5] }));
  world.socket.deliver(events({ from: 3, to: 7, seqs: [5, 6, 7] }));
  world.pass(1_000);
  world.socket.deliver(events({ from: 8, to: 9, seqs: [9] }));
  assert.deepEqual(world.socket.sentOf("subscribe").at(-1), {
    type: "subscribe",
    session: SESSION,
    after: 7,
    epoch: 1,
  });
  world.socket.deliver(subscribed({ head: 9 }));
  world.socket.deliver(events({ from: 7, to: 9, seqs: [8, 9] }));
  assert.deepEqual(seqs, [6, 7, 8, 9]);
});

test("restart: true starts anew", () => {
  const { world, connection } = started();
  const { seqs, ranges } = follower(connection, { after: 50, epoch: 1 });
  world.socket.welcome().deliver(subscribed({ epoch: 2, head: 3, restart: true }));
  world.socket.deliver(events({ epoch: 2, from: 0, to: 3, seqs: [1, 3] }));
  assert.deepEqual(seqs, [1, 3]);
  assert.equal(ranges[0]?.fresh, true);
  assert.equal(ranges[0]?.epoch, 2);
});

test("subscribes again when a head is above the cursor and nothing arrives in 5 s", () => {
  const { world, connection } = started();
  follower(connection, { after: 5, epoch: 1 });
  world.socket.welcome().deliver(subscribed({ head: 5 }));
  world.pass(3_000);
  world.socket.deliver({ type: "heartbeat", heads: { [SESSION]: 6, [OTHER]: 99 } });
  world.pass(4_000);
  assert.equal(world.socket.sentOf("subscribe").length, 1);
  world.pass(2_000);
  assert.equal(world.socket.sentOf("subscribe").length, 2);
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

test("a frame over the limit is refused before it is sent", async () => {
  const { connection } = started();
  const parts = [{ type: /** @type {const} */ ("text"), text: "é".repeat(40_000) }];
  await assert.rejects(connection.command({ type: "post", id: "p", session: SESSION, parts }), {
    code: "too_large",
  });
});

test("a Session that is missing or was taken away ends its Subscription", () => {
  const { world, connection } = started();
  const first = follower(connection);
  world.socket.welcome();
  world.socket.deliver({ type: "error", session: SESSION, code: "not_found", message: "No.", retry: false });
  assert.deepEqual(first.ends, ["refused not_found"]);
  const second = follower(connection);
  world.socket.deliver(subscribed({ head: 0 }));
  world.socket.deliver({ type: "removed", session: SESSION, reason: "deleted" });
  assert.deepEqual(second.ends, ["removed deleted"]);
  world.socket.drop();
  world.pass(1_000);
  world.socket.welcome();
  assert.deepEqual(world.socket.sentOf("subscribe"), []);
});

test("after a refusal that may pass, subscribes again at the server's time", () => {
  const { world, connection } = started();
  follower(connection);
  world.socket.welcome();
  const frame = {
    type: "error",
    session: SESSION,
    code: "busy",
    message: "",
    retry: true,
    retry_after_ms: 3_000,
  };
  world.socket.deliver(frame);
  world.pass(2_000);
  assert.equal(world.socket.sentOf("subscribe").length, 1);
  world.pass(2_000);
  assert.equal(world.socket.sentOf("subscribe").length, 2);
});

test("a second follower gets nothing of the first one's Subscription", () => {
  const { world, connection } = started();
  const first = follower(connection);
  world.socket.welcome();
  first.unfollow();
  const second = follower(connection);
  world.socket.deliver(subscribed({ head: 4 }));
  world.socket.deliver(events({ from: 0, to: 4, seqs: [1, 4] }));
  world.socket.deliver({ type: "unsubscribed", session: SESSION });
  world.socket.deliver(subscribed({ head: 5 }));
  world.socket.deliver(events({ from: 0, to: 5, seqs: [1, 5] }));
  assert.deepEqual(first.seqs, []);
  assert.deepEqual(second.seqs, [1, 5]);
});

test("the read mark moves forward only and is sent again on a new socket", () => {
  const { world, connection } = started();
  world.socket.welcome();
  connection.markRead(SESSION, 5);
  connection.markRead(SESSION, 3);
  assert.deepEqual(world.socket.sentOf("read"), [{ type: "read", session: SESSION, seq: 5 }]);
  world.socket.drop();
  world.pass(1_000);
  world.socket.welcome();
  assert.deepEqual(world.socket.sentOf("read"), [{ type: "read", session: SESSION, seq: 5 }]);
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
