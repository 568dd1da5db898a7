/**
 * Posts that wait for the server: kept over reloads and restarts, sent once and in order.
 *
 *     const outbox = new Outbox({ connection, user });
 *     outbox.watch((entries) => …);      // waiting, sending or failed; gone when the server has them
 *     await outbox.open();               // what an earlier page left
 *     const { entry, kept } = outbox.post({ session, parts: [{ type: "text", text }] });
 *     await kept;                        // it is on the disk: the draft may go
 *
 * Several tabs may send the same post: its id makes that one effect, and each tab sends a Session's posts in their order.
 *
 * @module
 * @import { Draft, Entry } from "ds/core/outbox.js"
 * @import { Connection } from "ds/net/connection.js"
 * @import { Store } from "ds/net/outbox-store.js"
 */

import { delay } from "ds/core/backoff.js";
import { newId } from "ds/core/ids.js";
import { Watched } from "ds/core/observable.js";
import { command, due, goesAgain } from "ds/core/outbox.js";
import { Refused } from "ds/core/protocol.js";
import { openStore } from "ds/net/outbox-store.js";

export class Outbox {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #shown = new Watched(/** @type {Entry[]} */ ([]));
  /** Refusals in a row, by Session. @type {Map<string, number>} */
  #refusals = new Map();
  #keeping = Promise.resolve();

  /**
   * @param {{
   *   connection: Pick<Connection, "command" | "watch" | "welcome" | "surroundings" | "up">, user: string, store?: Store,
   * }} options `user`: the id of who writes here; posts of others in the same browser are not touched
   */
  constructor({ connection, user, store = openStore() }) {
    this.connection = connection;
    this.user = user;
    this.store = store;
  }

  /** Take up what earlier pages left, and send whenever the connection is live. */
  async open() {
    for (const entry of await this.store.all(this.user)) {
      // What was on its way when the page went is sent again; the server knows its id if it came through.
      if (entry.state === "sending") entry.state = "waiting";
      this.#entries.set(entry.id, entry);
    }
    this.connection.watch(({ name }) => name === "live" && this.#send());
    this.#tell();
  }

  /**
   * @param {(entries: Entry[]) => void} watcher called at once, and after each change, with all posts in their order
   * @returns {() => void} stops it
   */
  watch(watcher) {
    return this.#shown.watch(watcher);
  }

  /**
   * @param {Draft} draft
   * @returns {{entry: Entry, kept: Promise<void>}} `kept` is settled when a reload would not lose it any more
   */
  post(draft) {
    const at = this.connection.surroundings.now();
    /** @type {Entry} */
    const entry = {
      ...draft,
      id: newId(),
      user: this.user,
      order: Number.MAX_SAFE_INTEGER,
      at,
      state: "waiting",
    };
    this.#entries.set(entry.id, entry);
    const kept = this.#keeping.then(() => this.store.add(entry));
    const unkept = () => {
      entry.order = at; // where nothing can be kept (a full disk) it is still sent
    };
    this.#keeping = kept.catch(unkept).then(() => this.#send());
    this.#tell();
    return { entry, kept };
  }

  /** Send a failed post again. @param {string} id */
  async retry(id) {
    const entry = this.#entries.get(id);
    if (entry?.state !== "failed") return;
    delete entry.refused;
    await this.#change(entry, "waiting");
    this.#send();
  }

  /** Forget a failed post. @param {string} id */
  async discard(id) {
    if (this.#entries.get(id)?.state !== "failed") return;
    await this.#remove(id);
  }

  #send() {
    if (!this.connection.up || this.connection.welcome?.user !== this.user) return;
    for (const entry of due(this.#entries.values())) {
      if (entry.order !== Number.MAX_SAFE_INTEGER) void this.#sendOne(entry);
    }
  }

  /** @param {Entry} entry */
  async #sendOne(entry) {
    entry.state = "sending";
    this.#tell();
    try {
      await this.connection.command(command(entry));
      this.#refusals.delete(entry.session);
      await this.#remove(entry.id);
    } catch (error) {
      await this.#refused(
        entry,
        error instanceof Refused ? error : new Refused({ code: "broken", message: String(error) }),
      );
    }
    this.#send();
  }

  /**
   * @param {Entry} entry
   * @param {Refused} refused
   */
  async #refused(entry, refused) {
    if (!goesAgain(refused)) {
      entry.refused = { code: refused.code, message: refused.message };
      return this.#change(entry, "failed");
    }
    const times = (this.#refusals.get(entry.session) ?? 0) + 1;
    this.#refusals.set(entry.session, times);
    const { surroundings } = this.connection;
    const wait = refused.retryAfterMs ?? delay(times, surroundings.random);
    await new Promise((resolve) => surroundings.setTimeout(() => resolve(null), wait));
    return this.#change(entry, "waiting");
  }

  /**
   * @param {Entry} entry
   * @param {Entry["state"]} state
   */
  async #change(entry, state) {
    entry.state = state;
    this.#tell();
    await this.store.put(entry).catch(() => {});
  }

  /** @param {string} id */
  async #remove(id) {
    this.#entries.delete(id);
    this.#tell();
    await this.store.remove(id).catch(() => {});
  }

  #tell() {
    this.#shown.set([...this.#entries.values()].sort((a, b) => a.order - b.order));
  }
}
