/**
 * The client's side of one Subscription: the cursor of its reader, and when to subscribe again.
 *
 * @module
 * @import { Cursor } from "ds/core/cursor.js"
 * @import { ClientFrame, ErrorFrame, EventsFrame, Subscribed } from "ds/core/protocol.js"
 * @import { Handlers, Start } from "ds/net/subscription-types.js"
 */

import { checkRange } from "ds/core/cursor.js";
import { toRefused } from "ds/core/protocol.js";

export const BEHIND_MS = 5_000; // after a heartbeat with a head above the cursor: Events are missing
export const UNANSWERED_MS = 10_000; // after a `subscribe` without any answer
export const RESUBSCRIBE_MS = 1_000; // between two `subscribe`, to spare a server in confusion

export class Subscription {
  /** @type {Cursor | null} */
  #cursor;
  #last = 50;
  /** The epoch of a fresh start whose first Events have not arrived yet. @type {number | null} */
  #startingEpoch = null;
  #cold = false;
  /** The time of a `subscribe` that has no answer yet. @type {number | null} */
  #unansweredSince = null;
  #subscribedAt = Number.NEGATIVE_INFINITY;
  /** @type {number | null} */
  #behindSince = null;
  #head = 0;

  /**
   * @param {string} session
   * @param {Start} start
   * @param {Handlers} handlers
   * @param {{send: (frame: ClientFrame) => unknown, now: () => number}} connection
   */
  constructor(session, start, handlers, connection) {
    this.session = session;
    this.handlers = handlers;
    this.connection = connection;
    this.#cursor = "last" in start ? null : { epoch: start.epoch, seq: start.after };
    if ("last" in start) this.#last = start.last;
  }

  /** Asks the server for the log after the cursor. */
  subscribe() {
    const { session } = this;
    this.#unansweredSince = this.#subscribedAt = this.connection.now();
    this.#startingEpoch = null;
    this.#cold = this.#cursor === null;
    if (this.#cursor) {
      this.connection.send({
        type: "subscribe",
        session,
        after: this.#cursor.seq,
        epoch: this.#cursor.epoch,
      });
    } else {
      this.connection.send({ type: "subscribe", session, last: this.#last });
    }
  }

  /** @param {Subscribed} frame */
  onSubscribed(frame) {
    this.#unansweredSince = null;
    if (this.#cold || frame.restart) this.#startingEpoch = frame.epoch;
    this.onHead(frame.head);
    this.handlers.subscribed?.(frame);
  }

  /** @param {EventsFrame} frame */
  onEvents(frame) {
    const { epoch, from, to, older = false } = frame;
    if (this.#startingEpoch !== null) {
      if (epoch !== this.#startingEpoch) return;
      this.#startingEpoch = null;
      this.#advance({ epoch, seq: to });
      this.handlers.events(frame.events, { epoch, from, to, fresh: true, older });
      return;
    }
    if (!this.#cursor) return; // of an earlier Subscription to the same Session
    const range = checkRange(this.#cursor, frame);
    if (range.verdict === "missed") this.#repair();
    if (range.verdict !== "apply") return;
    const start = this.#cursor.seq;
    this.#advance({ epoch, seq: to });
    this.handlers.events(range.events, { epoch, from: start, to, fresh: false, older: false });
  }

  /**
   * Notes the head of the Session, from a heartbeat.
   *
   * @param {number} head
   */
  onHead(head) {
    this.#head = head;
    if (this.#cursor && head <= this.#cursor.seq) this.#behindSince = null;
    else this.#behindSince ??= this.connection.now();
  }

  /**
   * Handles an `error` frame about this Session that answers no command.
   *
   * @param {ErrorFrame} frame
   * @returns {boolean} true: the Subscription has ended
   */
  onError(frame) {
    if (this.#unansweredSince === null) return false;
    if (!frame.retry) {
      this.handlers.refused?.(toRefused(frame));
      return true;
    }
    // Dated so that `tick` subscribes again when the server's wait is over.
    this.#unansweredSince = null;
    this.#behindSince = this.connection.now() - BEHIND_MS + (frame.retry_after_ms ?? BEHIND_MS);
    return false;
  }

  /** To be called about once a second while the connection is up. */
  tick() {
    const now = this.connection.now();
    const isBehind = this.#behindSince !== null && now - this.#behindSince >= BEHIND_MS;
    const isAwaiting = this.#unansweredSince !== null && now - this.#unansweredSince < UNANSWERED_MS;
    if (isAwaiting || now - this.#subscribedAt < RESUBSCRIBE_MS) return;
    if (!isBehind && this.#unansweredSince === null) return;
    this.#behindSince = null;
    this.subscribe();
  }

  #repair() {
    const now = this.connection.now();
    if (this.#unansweredSince !== null) return; // the answer to `subscribe` will close the gap
    if (now - this.#subscribedAt < RESUBSCRIBE_MS) this.#behindSince = now - BEHIND_MS;
    else this.subscribe();
  }

  /** @param {Cursor} cursor */
  #advance(cursor) {
    this.#cursor = cursor;
    this.#behindSince = this.#head > cursor.seq ? this.connection.now() : null;
  }
}
