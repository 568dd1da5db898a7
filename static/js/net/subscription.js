/**
 * The client's side of one Subscription: where its reader stands, and when to ask again.
 *
 * @module
 * @import { Cursor } from "ds/core/cursor.js"
 * @import { LogEvent } from "ds/core/events.js"
 * @import {
 *   ClientFrame, ErrorFrame, EventsFrame, PresentDevice, Refused, Subscribed,
 * } from "ds/core/protocol.js"
 */

import { read } from "ds/core/cursor.js";
import { refusal } from "ds/core/protocol.js";

export const BEHIND_MS = 5_000; // a heartbeat said there is more, and nothing came
export const UNANSWERED_MS = 10_000; // a subscribe that got no answer at all
export const ASK_AGAIN_MS = 1_000; // between two subscribes, so that a confused server is not flooded

/** @typedef {{after: number, epoch: number} | {last: number}} Start resume at a cursor, or a cold start at the newest Messages */
/**
 * The seqs (`from`, `to`] that the Events cover. `fresh`: forget what you have of this Session, these start anew;
 * `older`: on a fresh start, there are Messages before them.
 *
 * @typedef {{epoch: number, from: number, to: number, fresh: boolean, older: boolean}} Range
 */
/**
 * `removed` and `refused` are the last that a follower hears.
 *
 * @typedef {{
 *   events(events: LogEvent[], range: Range): void,
 *   subscribed?(frame: Subscribed): void,
 *   presence?(devices: PresentDevice[]): void,
 *   removed?(reason: string): void,
 *   refused?(refused: Refused): void,
 * }} Handlers
 */

export class Following {
  /** @type {Cursor | null} */
  #cursor;
  #last = 50;
  /** The epoch of a start whose first Events are still to come. @type {number | null} */
  #starting = null;
  #cold = false;
  /** @type {number | null} */
  #askedAt = null;
  #asked = Number.NEGATIVE_INFINITY;
  /** @type {number | null} */
  #behindSince = null;
  #head = 0;

  /**
   * @param {string} session
   * @param {Start} start
   * @param {Handlers} handlers
   * @param {{send: (frame: ClientFrame) => unknown, now: () => number}} link
   */
  constructor(session, start, handlers, link) {
    this.session = session;
    this.handlers = handlers;
    this.link = link;
    this.#cursor = "last" in start ? null : { epoch: start.epoch, seq: start.after };
    if ("last" in start) this.#last = start.last;
  }

  /** Ask for the rest of the log from where the reader stands. */
  subscribe() {
    const { session } = this;
    this.#askedAt = this.#asked = this.link.now();
    this.#starting = null;
    this.#cold = this.#cursor === null;
    if (this.#cursor) {
      this.link.send({ type: "subscribe", session, after: this.#cursor.seq, epoch: this.#cursor.epoch });
    } else {
      this.link.send({ type: "subscribe", session, last: this.#last });
    }
  }

  /** @param {Subscribed} frame */
  subscribed(frame) {
    this.#askedAt = null;
    if (this.#cold || frame.restart) this.#starting = frame.epoch;
    this.heard(frame.head);
    this.handlers.subscribed?.(frame);
  }

  /** @param {EventsFrame} frame */
  events(frame) {
    const { epoch, from, to, older = false } = frame;
    if (this.#starting !== null) {
      if (epoch !== this.#starting) return;
      this.#starting = null;
      this.#advance({ epoch, seq: to });
      this.handlers.events(frame.events, { epoch, from, to, fresh: true, older });
      return;
    }
    if (!this.#cursor) return; // of an earlier Subscription to the same Session
    const reading = read(this.#cursor, frame);
    if (reading.verdict === "missed") this.#missed();
    if (reading.verdict !== "apply") return;
    const start = this.#cursor.seq;
    this.#advance({ epoch, seq: to });
    this.handlers.events(reading.events, { epoch, from: start, to, fresh: false, older: false });
  }

  /**
   * The server's head, by a heartbeat.
   *
   * @param {number} head
   */
  heard(head) {
    this.#head = head;
    if (this.#cursor && head <= this.#cursor.seq) this.#behindSince = null;
    else this.#behindSince ??= this.link.now();
  }

  /**
   * A refusal of this Session's frame that carries no command.
   *
   * @param {ErrorFrame} frame
   * @returns {boolean} true: it ended the Subscription
   */
  refuse(frame) {
    if (this.#askedAt === null) return false;
    if (!frame.retry) {
      this.handlers.refused?.(refusal(frame));
      return true;
    }
    // As if asked that much later: the tick asks again when the wait is over.
    this.#askedAt = null;
    this.#behindSince = this.link.now() - BEHIND_MS + (frame.retry_after_ms ?? BEHIND_MS);
    return false;
  }

  /** Call about once a second while the link is up. */
  tick() {
    const now = this.link.now();
    const behind = this.#behindSince !== null && now - this.#behindSince >= BEHIND_MS;
    const answerable = this.#askedAt !== null && now - this.#askedAt < UNANSWERED_MS;
    if (answerable || now - this.#asked < ASK_AGAIN_MS || !(behind || this.#askedAt !== null)) return;
    this.#behindSince = null;
    this.subscribe();
  }

  #missed() {
    const now = this.link.now();
    if (this.#askedAt !== null) return; // the answer is on its way and will close the gap
    if (now - this.#asked < ASK_AGAIN_MS) this.#behindSince = now - BEHIND_MS;
    else this.subscribe();
  }

  /** @param {Cursor} cursor */
  #advance(cursor) {
    this.#cursor = cursor;
    this.#behindSince = this.#head > cursor.seq ? this.link.now() : null;
  }
}
