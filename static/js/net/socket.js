/**
 * One WebSocket from its opening to its end: says hello, notices silence, and ends once with one reason.
 *
 * @module
 * @import { ClientFrame, Goodbye, Hello, ServerFrame } from "ds/core/protocol.js"
 * @import { SocketLike, Surroundings } from "ds/net/environment.js"
 */

import { Close, parse, SUBPROTOCOL } from "ds/core/protocol.js";

export const OPENING_MS = 10_000; // from the first packet to `welcome`; a mobile network's slow handshake fits
export const SILENCE_MS = 25_000; // two and a half heartbeats of 10 s
export const PONG_MS = 5_000;

/** @typedef {{code: number, reason: string, goodbye: Goodbye | null}} Ending */

export class Link {
  /** @type {Goodbye | null} */
  #goodbye = null;
  /** @type {SocketLike | null} */
  #socket = null;
  #welcomed = false;
  #heardAt;
  #silenceMs = SILENCE_MS;
  /** @type {number | null} */
  #pingedAt = null;

  /**
   * @param {{
   *   url: string, hello: Hello, surroundings: Surroundings,
   *   onFrame: (frame: ServerFrame) => void, onEnd: (ending: Ending) => void,
   * }} options
   */
  constructor({ url, hello, surroundings, onFrame, onEnd }) {
    this.surroundings = surroundings;
    this.onFrame = onFrame;
    this.onEnd = onEnd;
    this.#heardAt = surroundings.now();
    const socket = surroundings.open(url, SUBPROTOCOL);
    this.#socket = socket;
    socket.onopen = () => this.send(hello);
    socket.onmessage = (event) => this.#hear(event.data);
    socket.onclose = (event) => this.end(event.code, event.reason);
    socket.onerror = null; // a close event follows, and it knows more
  }

  /** Is it there to send on? */
  get welcomed() {
    return this.#welcomed && this.#socket !== null;
  }

  /** @param {ClientFrame} frame */
  send(frame) {
    this.#socket?.send(JSON.stringify(frame));
  }

  /** Ask for a sign of life now; without one in 5 s the link ends. */
  probe() {
    if (!this.#welcomed || this.#pingedAt !== null) return;
    this.#pingedAt = this.surroundings.now();
    this.send({ type: "ping" });
  }

  /** Call about once a second. */
  tick() {
    const now = this.surroundings.now();
    if (!this.#welcomed) {
      if (now - this.#heardAt >= OPENING_MS) this.end(Close.ABNORMAL, "no welcome");
    } else if (this.#pingedAt !== null) {
      if (now - this.#pingedAt >= PONG_MS) this.end(Close.ABNORMAL, "no answer to ping");
    } else if (now - this.#heardAt >= this.#silenceMs) {
      this.probe();
    }
  }

  /**
   * Ends the link, once. Does not wait for the other side, which may be long gone.
   *
   * @param {number} code
   * @param {string} reason
   */
  end(code, reason) {
    if (this.abandon()) this.onEnd({ code, reason, goodbye: this.#goodbye });
  }

  /** Ends the link without telling. @returns {boolean} was there one? */
  abandon() {
    const socket = this.#socket;
    if (!socket) return false;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    return true;
  }

  /** @param {unknown} data */
  #hear(data) {
    this.#heardAt = this.surroundings.now();
    this.#pingedAt = null;
    const frame = parse(data);
    if (!frame) return;
    if (frame.type === "goodbye") this.#goodbye = frame;
    if (frame.type === "welcome") {
      this.#welcomed = true;
      this.#silenceMs = Math.max(SILENCE_MS, frame.heartbeat_ms * 2.5);
    }
    this.onFrame(frame);
  }
}
