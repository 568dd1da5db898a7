/** A started Connection in a fake world, and what its server and its followers say. */

import { Connection } from "ds/net/connection.js";
import { SESSION, World } from "./world.js";

export function started() {
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
export function events({ epoch = 1, from = 0, to = 0, seqs = [], session = SESSION, ...rest }) {
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
export function subscribed({ epoch = 1, head = 0, restart = false }) {
  return { type: "subscribed", session: SESSION, epoch, head, role: "owner", restart };
}

/** @param {Connection} connection */
export function follower(connection, start = /** @type {any} */ ({ last: 50 })) {
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
