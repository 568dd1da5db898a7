/**
 * A message's way from the composer into the log: shown at once, kept by the outbox until the server has it, and by this page
 * until it is in the log.
 *
 * @module
 * @import { LogEvent } from "ds/core/events.js"
 * @import { Entry } from "ds/core/outbox.js"
 * @import { Connection } from "ds/net/connection.js"
 * @import { Scroll } from "ds/ui/conversation/auto-scroll.js"
 */

import { Outbox } from "ds/net/outbox.js";
import { Composer } from "ds/ui/composer/composer.js";
import { Pending } from "ds/ui/composer/pending-messages.js";

const GRACE_MS = 5_000; // the Event of a post follows its answer at once, unless it was in the log long before

export class Sending {
  /** Posts that are in the log. @type {Set<string>} */
  #arrived = new Set();

  /**
   * @param {{connection: Connection, session: string, me: string, events: LogEvent[], root: HTMLElement, scroll: Scroll}} page
   */
  constructor({ connection, session, me, events, root, scroll }) {
    this.session = session;
    this.scroll = scroll;
    this.outbox = new Outbox({ connection, user: me });
    this.composer = new Composer({ session, onSend: (text) => this.#send(text) });
    this.pending = new Pending(root, {
      isLive: () => connection.status.name === "live",
      again: (id) => void this.outbox.retry(id),
      edit: (id, text) => this.#takeBack(id, text),
    });
    this.arrived(events);
    this.outbox.watch((entries) => this.#show(entries));
    void this.outbox.open();
  }

  /** What is in the log now is pending no more. @param {LogEvent[]} events */
  arrived(events) {
    for (const event of events) {
      if (event.kind !== "message.posted" || !event.data.client_id) continue;
      this.#arrived.add(event.data.client_id);
      this.pending.remove(event.data.client_id);
    }
  }

  /** Nothing can be sent any more; what was typed stays. */
  end() {
    this.composer.onSend = () => {};
    this.composer.button.hidden = true;
  }

  /** @param {string} text */
  #send(text) {
    const { kept } = this.outbox.post({ session: this.session, parts: [{ type: "text", text }] });
    this.composer.empty();
    const done = () => this.composer.draft.keep();
    void kept.then(done, done);
    this.scroll.toEnd();
  }

  /** @param {Entry[]} entries of all Sessions */
  #show(entries) {
    const ours = entries.filter(({ id, session }) => session === this.session && !this.#arrived.has(id));
    for (const { id, parts, at, state, refused } of ours) {
      const text = parts.map((part) => part.text).join("");
      this.pending.show({ id, text, at, reason: state === "failed" ? (refused?.message ?? "") : null });
    }
    const waiting = new Set(ours.map(({ id }) => id));
    for (const id of this.pending.ids()) {
      if (!waiting.has(id)) setTimeout(() => this.pending.remove(id), GRACE_MS);
    }
  }

  /**
   * @param {string} id
   * @param {string} text
   */
  #takeBack(id, text) {
    this.composer.giveBack(text);
    this.pending.remove(id);
    void this.outbox.discard(id);
  }
}
