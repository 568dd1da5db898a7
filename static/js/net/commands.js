/**
 * The commands without an answer yet: kept by id, and sent again on every new socket.
 *
 * @module
 * @import { ClientFrame, Command, ErrorFrame, Ok, Welcome } from "ds/core/protocol.js"
 */

import { Refused, toRefused } from "ds/core/protocol.js";

export const ANSWER_MS = 15_000; // after it a command without an answer is sent again, with the same id

/** @typedef {{frame: Command, sentAt: number | null, promise: Promise<Ok>, resolve: (ok: Ok) => void, reject: (error: Error) => void}} Pending */

export class Commands {
  /** @type {Map<string, Pending>} */
  #pending = new Map();

  /**
   * @param {{send: (frame: ClientFrame) => boolean, now: () => number, welcome: Welcome | null}} connection `send` returns false
   *   without a socket
   */
  constructor(connection) {
    this.connection = connection;
  }

  /**
   * @param {Command} frame
   * @returns {Promise<Ok>} rejects with `Refused`; the id of a pending command returns that command's promise
   */
  send(frame) {
    const pending = this.#pending.get(frame.id);
    if (pending) return pending.promise;
    /** @type {PromiseWithResolvers<Ok>} */
    const { promise, resolve, reject } = withResolvers();
    const command = { frame, sentAt: null, promise, resolve, reject };
    this.#pending.set(frame.id, command);
    this.#transmit(command);
    return promise;
  }

  /** Sends all pending commands again, in their order, on a new socket. */
  resend() {
    for (const command of this.#pending.values()) this.#transmit(command);
  }

  /** To be called about once a second while the connection is up. */
  tick() {
    const now = this.connection.now();
    for (const command of this.#pending.values()) {
      if (command.sentAt !== null && now - command.sentAt >= ANSWER_MS) this.#transmit(command);
    }
  }

  /** @param {Ok} frame */
  onOk(frame) {
    this.#take(frame.id)?.resolve(frame);
  }

  /**
   * @param {ErrorFrame} frame
   * @returns {boolean} false: it answers no pending command
   */
  onError(frame) {
    const command = this.#take(frame.id ?? "");
    command?.reject(toRefused(frame));
    return command !== undefined;
  }

  /** Rejects all pending commands with the code `closed`. */
  abandon() {
    for (const { reject } of this.#pending.values()) {
      reject(new Refused({ code: "closed", message: "The connection was closed.", retry: true }));
    }
    this.#pending.clear();
  }

  /** @param {Pending} command */
  #transmit(command) {
    // The server would close the Connection over a larger frame.
    if (sizeOf(command.frame) > (this.connection.welcome?.limits.frame_bytes ?? Number.POSITIVE_INFINITY)) {
      const message = "That is too large to send at once. Send it in parts.";
      this.#take(command.frame.id)?.reject(new Refused({ code: "too_large", message }));
      return;
    }
    command.sentAt = this.connection.send(command.frame) ? this.connection.now() : null;
  }

  /** @param {string} id */
  #take(id) {
    const command = this.#pending.get(id);
    this.#pending.delete(id);
    return command;
  }
}

/**
 * Returns the bytes of a frame on the wire.
 *
 * @param {ClientFrame} frame
 */
function sizeOf(frame) {
  return new TextEncoder().encode(JSON.stringify(frame)).length;
}

/**
 * `Promise.withResolvers` is missing in node 20 and Safari 17:
 * https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects/Promise/withResolvers
 *
 * @returns {PromiseWithResolvers<Ok>}
 */
function withResolvers() {
  /** @type {(ok: Ok) => void} */
  let resolve = () => {};
  /** @type {(error: Error) => void} */
  let reject = () => {};
  const promise = new Promise((onOk, onError) => {
    resolve = onOk;
    reject = onError;
  });
  return /** @type {PromiseWithResolvers<Ok>} */ ({ promise, resolve, reject });
}
