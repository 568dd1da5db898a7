/**
 * One WebSocket from its opening to its end: says hello, notices silence, and ends once, with one reason.
 *
 * @module
 * @import { ClientFrame, Goodbye, Hello, ServerFrame } from "ds/core/protocol.js"
 * @import { Environment, SocketLike } from "ds/net/environment.js"
 */

import { Close, parseFrame, SUBPROTOCOL } from "ds/core/protocol.js";

export const OPENING_MS = 10_000; // from the first packet to `welcome`; enough for a slow handshake on a mobile network
export const SILENCE_MS = 25_000; // two and a half heartbeats of 10 s
export const PONG_MS = 5_000;

/** @typedef {{code: number, reason: string, goodbye: Goodbye | null}} Ending `code`: a close code of WebSocket */

export class Socket {
  /** @type {Goodbye | null} */
  #goodbye = null;
  /** @type {SocketLike | null} */
  #socket = null;
  #welcomed = false;
  #receivedAt;
  #silenceMs = SILENCE_MS;
  /** @type {number | null} */
  #pingedAt = null;

  /**
   * @param {{
   *   url: string, hello: Hello, environment: Environment,
   *   onFrame: (frame: ServerFrame) => void, onEnd: (ending: Ending) => void,
   * }} options
   */
  constructor({ url, hello, environment, onFrame, onEnd }) {
    this.environment = environment;
    this.onFrame = onFrame;
    this.onEnd = onEnd;
    this.#receivedAt = environment.now();
    const socket = environment.open(url, SUBPROTOCOL);
    this.#socket = socket;
    socket.onopen = () => this.send(hello);
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.end(event.code, event.reason);
    socket.onerror = null; // a close event with the code follows
  }

  /** True between the server's `welcome` and the end of the socket. */
  get welcomed() {
    return this.#welcomed && this.#socket !== null;
  }

  /** @param {ClientFrame} frame */
  send(frame) {
    this.#socket?.send(JSON.stringify(frame));
  }

  /** Pings the server now; the socket ends if nothing arrives in 5 s. */
  probe() {
    if (!this.#welcomed || this.#pingedAt !== null) return;
    this.#pingedAt = this.environment.now();
    this.send({ type: "ping" });
  }

  /** To be called about once a second. */
  tick() {
    const now = this.environment.now();
    if (!this.#welcomed) {
      if (now - this.#receivedAt >= OPENING_MS) this.end(Close.ABNORMAL, "no welcome");
    } else if (this.#pingedAt !== null) {
      if (now - this.#pingedAt >= PONG_MS) this.end(Close.ABNORMAL, "no answer to ping");
    } else if (now - this.#receivedAt >= this.#silenceMs) {
      this.probe();
    }
  }

  /**
   * Ends the socket and calls `onEnd`, once. Does not wait for the other side, which may have vanished.
   *
   * @param {number} code
   * @param {string} reason
   */
  end(code, reason) {
    if (this.abandon()) this.onEnd({ code, reason, goodbye: this.#goodbye });
  }

  /** Ends the socket without calling `onEnd`. @returns {boolean} false: it had ended before */
  abandon() {
    const socket = this.#socket;
    if (!socket) return false;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    return true;
  }

  /** @param {unknown} data */
  #receive(data) {
    this.#receivedAt = this.environment.now();
    this.#pingedAt = null;
    const frame = parseFrame(data);
    if (!frame) return;
    if (frame.type === "goodbye") this.#goodbye = frame;
    if (frame.type === "welcome") {
      this.#welcomed = true;
      this.#silenceMs = Math.max(SILENCE_MS, frame.heartbeat_ms * 2.5);
    }
    this.onFrame(frame);
  }
}
