/**
 * Sends messages: from the composer through the outbox to the server. Each is shown as pending until it is in the log.
 *
 * @module
 * @import { LogEvent } from "ds/core/events.js"
 * @import { Entry } from "ds/core/outbox.js"
 * @import { Policy, TextPart } from "ds/core/protocol.js"
 * @import { Timeline } from "ds/core/timeline-types.js"
 * @import { Connection } from "ds/net/connection.js"
 * @import { AutoScroll } from "ds/ui/conversation/auto-scroll.js"
 */

import { runOfTurn } from "ds/core/timeline-turns.js";
import { Outbox } from "ds/net/outbox.js";
import { Composer } from "ds/ui/composer/composer.js";
import { PendingMessages } from "ds/ui/composer/pending-messages.js";

const GRACE_MS = 5_000; // the Event of a post follows its `ok` at once, unless it came long before

export class MessageSender {
  /** Client ids of posts that are in the log. @type {Set<string>} */
  #arrived = new Set();
  /** End the hold of the draft on posts that are only in this page, by client id. @type {Map<string, () => void>} */
  #releases = new Map();

  /**
   * @param {{
   *   connection: Connection, session: string, me: string, events: LogEvent[], root: HTMLElement, scroll: AutoScroll,
   * }} options `events`: those that the page has; `root`: the place of pending messages
   */
  constructor({ connection, session, me, events, root, scroll }) {
    this.session = session;
    this.scroll = scroll;
    this.outbox = new Outbox({ connection, user: me });
    this.composer = new Composer({ session, onSend: (...typed) => this.#sendTyped(...typed) });
    this.pending = new PendingMessages(root, {
      isLive: () => connection.status.name === "live",
      retry: (id) => void this.outbox.retry(id),
      edit: (id, text) => this.#edit(id, text),
    });
    this.onEvents(events);
    this.outbox.watch((entries) => this.#show(entries));
    void this.outbox.open();
  }

  /** Removes the pending messages that these Events are of. @param {LogEvent[]} events */
  onEvents(events) {
    for (const event of events) {
      if (event.kind !== "message.posted" || !event.data.client_id) continue;
      this.#arrived.add(event.data.client_id);
      this.pending.remove(event.data.client_id);
    }
  }

  /** Ends sending; the text in the field stays. */
  disable() {
    this.composer.onSend = () => {};
    this.composer.button.hidden = true;
  }

  /** @param {Timeline} timeline */
  update(timeline) {
    const { steer } = this.composer;
    if (steer) steer.hidden = !runOfTurn(timeline);
  }

  /** @type {(text: string, policy?: Policy) => void} */
  #sendTyped(text, policy) {
    this.composer.clear();
    this.send(text, policy);
  }

  /**
   * Sends the text as a message of the person. What is in the composer stays.
   *
   * @param {string} text
   * @param {Policy} [policy] what it does while an answer is being written
   */
  send(text, policy) {
    const release = this.composer.draft.hold(text);
    const parts = /** @type {TextPart[]} */ ([{ type: "text", text }]);
    const { entry, kept } = this.outbox.post({ session: this.session, parts, ...(policy && { policy }) });
    this.#releases.set(entry.id, release);
    kept.then(release, () => {}); // what cannot be stored is held until the outbox has delivered it
    this.scroll.toEnd();
  }

  /** @param {Entry[]} entries of all Sessions */
  #show(entries) {
    const present = new Set(entries.map(({ id }) => id));
    for (const [id, release] of this.#releases) {
      if (present.has(id)) continue;
      this.#releases.delete(id);
      release();
    }
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
   * Moves a refused message back into the composer.
   *
   * @param {string} id
   * @param {string} text
   */
  #edit(id, text) {
    this.composer.restore(text);
    this.pending.remove(id);
    void this.outbox.discard(id);
  }
}
