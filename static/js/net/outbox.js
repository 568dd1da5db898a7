/**
 * Posts on their way to the server: stored over reloads and restarts, sent once and in order (docs/reference/javascript-client.md).
 *
 * Several tabs may send the same post: its id makes that one effect, and each tab sends the posts of a Session in their order.
 *
 * @module
 * @import { Entry, NewPost, Store } from "ds/core/outbox.js"
 * @import { Connection } from "ds/net/connection.js"
 */

import { delay } from "ds/core/backoff.js";
import { newId } from "ds/core/ids.js";
import { Observable } from "ds/core/observable.js";
import { due, isRetried, toCommand } from "ds/core/outbox.js";
import { Refused } from "ds/core/protocol.js";
import { openStore } from "ds/net/outbox-store.js";

const NOT_STORED_YET = Number.MAX_SAFE_INTEGER; // the store gives an entry its order

export class Outbox {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #published = new Observable(/** @type {Entry[]} */ ([]));
  /** Refusals in a row, by Session. @type {Map<string, number>} */
  #refusals = new Map();
  #writes = Promise.resolve();

  /**
   * @param {{
   *   connection: Pick<Connection, "command" | "watch" | "welcome" | "environment" | "up">, user: string, store?: Store,
   * }} options `user`: the id of the user who writes here; posts of other users in the same browser are not touched
   */
  constructor({ connection, user, store = openStore() }) {
    this.connection = connection;
    this.user = user;
    this.store = store;
  }

  /** Loads the posts that earlier pages left, and sends whenever the connection is live. */
  async open() {
    for (const entry of await this.store.all(this.user)) {
      // A post that was on its way when the page closed is sent again: the server knows its id if it arrived.
      if (entry.state === "sending") entry.state = "waiting";
      this.#entries.set(entry.id, entry);
    }
    this.connection.watch(({ name }) => name === "live" && this.#send());
    this.#publish();
  }

  /**
   * @param {(entries: Entry[]) => void} watcher called at once and on each change with all posts in their order
   * @returns {() => void} stops watching
   */
  watch(watcher) {
    return this.#published.watch(watcher);
  }

  /**
   * @param {NewPost} post
   * @returns {{entry: Entry, kept: Promise<void>}} `kept` resolves when the post would survive a reload, and rejects where it
   *   would not: then it is gone with the page unless the server has it
   */
  post(post) {
    const at = this.connection.environment.now();
    /** @type {Entry} */
    const entry = { ...post, id: newId(), user: this.user, order: NOT_STORED_YET, at, state: "waiting" };
    this.#entries.set(entry.id, entry);
    const kept = this.#writes.then(() => this.store.add(entry));
    // It is sent although it cannot be stored, as on a full disk.
    this.#writes = kept.catch(() => {}).then(() => this.#send());
    this.#publish();
    return { entry, kept };
  }

  /** Sends a failed post again. @param {string} id */
  async retry(id) {
    const entry = this.#entries.get(id);
    if (entry?.state !== "failed") return;
    delete entry.refused;
    await this.#change(entry, "waiting");
    this.#send();
  }

  /** Removes a failed post. @param {string} id */
  async discard(id) {
    if (this.#entries.get(id)?.state === "failed") await this.#remove(id);
  }

  #send() {
    if (!this.connection.up || this.connection.welcome?.user !== this.user) return;
    for (const entry of due(this.#entries.values())) {
      if (entry.order !== NOT_STORED_YET) void this.#sendOne(entry);
    }
  }

  /** @param {Entry} entry */
  async #sendOne(entry) {
    entry.state = "sending";
    this.#publish();
    try {
      await this.connection.command(toCommand(entry));
      this.#refusals.delete(entry.session);
      await this.#remove(entry.id);
    } catch (error) {
      const broken = () => new Refused({ code: "broken", message: String(error) });
      await this.#onRefused(entry, error instanceof Refused ? error : broken());
    }
    this.#send();
  }

  /** @type {(entry: Entry, refused: Refused) => Promise<void>} */
  async #onRefused(entry, refused) {
    if (!isRetried(refused)) {
      entry.refused = { code: refused.code, message: refused.message };
      return this.#change(entry, "failed");
    }
    const times = (this.#refusals.get(entry.session) ?? 0) + 1;
    this.#refusals.set(entry.session, times);
    const { environment } = this.connection;
    const wait = refused.retryAfterMs ?? delay(times, environment.random);
    await new Promise((resolve) => environment.setTimeout(() => resolve(null), wait));
    return this.#change(entry, "waiting");
  }

  /** @type {(entry: Entry, state: Entry["state"]) => Promise<void>} */
  async #change(entry, state) {
    entry.state = state;
    this.#publish();
    await this.store.put(entry).catch(() => {});
  }

  /** @param {string} id */
  async #remove(id) {
    this.#entries.delete(id);
    this.#publish();
    await this.store.remove(id).catch(() => {});
  }

  #publish() {
    this.#published.set([...this.#entries.values()].sort((one, other) => one.order - other.order));
  }
}
