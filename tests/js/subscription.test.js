import assert from "node:assert/strict";
import { test } from "node:test";
import { events, follower, started, subscribed } from "./connected.js";
import { OTHER, SESSION } from "./world.js";

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
