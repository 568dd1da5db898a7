/**
 * A page with an outbox, and the stores that it can have.
 *
 * @import { Entry } from "ds/core/outbox.js"
 * @import { Store } from "ds/core/outbox.js"
 */

import assert from "node:assert/strict";
import { Connection } from "ds/net/connection.js";
import { Outbox } from "ds/net/outbox.js";
import { SESSION, World } from "./world.js";

/** Opens a page with an outbox on this store. @param {{store?: Store, user?: string}} [options] */
export async function page({ store = memoryStore(), user = "1" } = {}) {
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
export async function until(fact) {
  const end = Date.now() + 5_000;
  while (!(await fact())) {
    assert.ok(Date.now() < end, `never: ${fact}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A store that lasts as long as the test. @returns {Store} */
export function memoryStore() {
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  let last = 0;
  return {
    async add(entry) {
      entry.order = ++last;
      entries.set(entry.id, { ...entry });
    },
    put: async (entry) => void entries.set(entry.id, { ...entry }),
    remove: async (id) => void entries.delete(id),
    all: async (user) =>
      [...entries.values()].filter((entry) => entry.user === user).map((entry) => ({ ...entry })),
  };
}

/** A localStorage of its own. `isFull`: it takes nothing any more. */
export class FakeStorage {
  isFull = false;
  /** @type {Map<string, string>} */
  #values = new Map();

  get length() {
    return this.#values.size;
  }

  /** @param {number} index */
  key(index) {
    return [...this.#values.keys()][index] ?? null;
  }

  /** @param {string} key */
  getItem(key) {
    return this.#values.get(key) ?? null;
  }

  /** @param {string} key @param {string} value */
  setItem(key, value) {
    if (this.isFull) throw new Error("full");
    this.#values.set(key, value);
  }

  /** @param {string} key */
  removeItem(key) {
    this.#values.delete(key);
  }
}
