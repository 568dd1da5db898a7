/**
 * Commands on their way: kept under their id until the server answered, and sent again on every new link.
 *
 * @module
 * @import { ClientFrame, Command, ErrorFrame, Ok } from "ds/core/protocol.js"
 */

import { FRAME_BYTES, Refused, refusal } from "ds/core/protocol.js";

export const ANSWER_MS = 15_000; // a command that is unanswered for so long is sent again with the same id

/** @typedef {{frame: Command, sentAt: number | null, promise: Promise<Ok>, resolve: (ok: Ok) => void, reject: (error: Error) => void}} Pending */

export class Commands {
  /** @type {Map<string, Pending>} */
  #pending = new Map();

  /**
   * @param {{send: (frame: ClientFrame) => boolean, now: () => number}} link `send` says whether there was a link to send on
   */
  constructor(link) {
    this.link = link;
  }

  /**
   * @param {Command} frame
   * @returns {Promise<Ok>} rejects with `Refused`; the same id while it is on its way gives the same promise
   */
  send(frame) {
    const already = this.#pending.get(frame.id);
    if (already) return already.promise;
    if (new TextEncoder().encode(JSON.stringify(frame)).length > FRAME_BYTES) {
      return Promise.reject(new Refused({ code: "too_large", message: "That is too large to send." }));
    }
    /** @type {PromiseWithResolvers<Ok>} */
    const { promise, resolve, reject } = withResolvers();
    const pending = { frame, sentAt: null, promise, resolve, reject };
    this.#pending.set(frame.id, pending);
    this.#post(pending);
    return promise;
  }

  /** There is a new link: everything that is unanswered goes again, in its order. */
  resend() {
    for (const pending of this.#pending.values()) this.#post(pending);
  }

  /** Call about once a second while the link is up. */
  tick() {
    const now = this.link.now();
    for (const pending of this.#pending.values()) {
      if (pending.sentAt !== null && now - pending.sentAt >= ANSWER_MS) this.#post(pending);
    }
  }

  /** @param {Ok} frame */
  ok(frame) {
    this.#take(frame.id)?.resolve(frame);
  }

  /**
   * @param {ErrorFrame} frame
   * @returns {boolean} was it the answer to a command?
   */
  refuse(frame) {
    const pending = this.#take(frame.id ?? "");
    pending?.reject(refusal(frame));
    return pending !== undefined;
  }

  /** Nothing will be answered any more. */
  abandon() {
    for (const { reject } of this.#pending.values()) {
      reject(new Refused({ code: "closed", message: "The connection was closed.", retry: true }));
    }
    this.#pending.clear();
  }

  /** @param {Pending} pending */
  #post(pending) {
    pending.sentAt = this.link.send(pending.frame) ? this.link.now() : null;
  }

  /** @param {string} id */
  #take(id) {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }
}

/**
 * `Promise.withResolvers` is younger than node 20 and Safari 17.
 *
 * @returns {PromiseWithResolvers<Ok>}
 */
function withResolvers() {
  /** @type {(ok: Ok) => void} */
  let resolve = () => {};
  /** @type {(error: Error) => void} */
  let reject = () => {};
  const promise = new Promise((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return /** @type {PromiseWithResolvers<Ok>} */ ({ promise, resolve, reject });
}
