/**
 * A fake environment of the connection: its time passes when the test says so, and the test plays the server.
 *
 * @import { ServerFrame } from "ds/core/protocol.js"
 * @import { Environment } from "ds/net/environment.js"
 */

export const SESSION = "5e55104e-0000-4000-8000-000000000001";
export const OTHER = "5e55104e-0000-4000-8000-000000000002";

/** The server's end of one WebSocket. */
export class FakeSocket {
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {((event: {data: string}) => void) | null} */
  onmessage = null;
  /** @type {((event: {code: number, reason: string}) => void) | null} */
  onclose = null;
  onerror = null;
  closed = false;
  /** @type {any[]} */
  sent = [];

  /** @param {string} text */
  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
  }

  /** Delivers a frame of the server. @param {ServerFrame | {type: string}} frame */
  deliver(frame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  welcome({ user = "1", limits = {} } = {}) {
    this.onopen?.();
    this.deliver({ type: "welcome", protocol: 1, user, device: "d", heartbeat_ms: 10_000, limits });
    return this;
  }

  /**
   * @param {number} code
   * @param {string} [reason]
   */
  drop(code = 1006, reason = "") {
    this.onclose?.({ code, reason });
  }

  /**
   * Returns the frames of this type that the client has sent.
   *
   * @param {string} type
   */
  sentOf(type) {
    return this.sent.filter((frame) => frame.type === type);
  }
}

export class World {
  /** @type {FakeSocket[]} */
  sockets = [];
  time = 1_000_000;
  isOnline = true;
  wake = () => {};
  /** @type {{at: number, callback: () => void}[]} */
  #timers = [];

  /** @type {Environment} */
  environment = {
    open: () => {
      const socket = new FakeSocket();
      this.sockets.push(socket);
      return socket;
    },
    now: () => this.time,
    random: () => 0.5,
    online: () => this.isOnline,
    setTimeout: (callback, ms) => {
      const timer = { at: this.time + ms, callback };
      this.#timers.push(timer);
      return timer;
    },
    clearTimeout: (timer) => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    },
    onWake: (callback) => {
      this.wake = callback;
      return () => {
        this.wake = () => {};
      };
    },
  };

  /** The newest socket. */
  get socket() {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("There is no socket yet.");
    return socket;
  }

  /**
   * Lets time pass, timer after timer.
   *
   * @param {number} ms
   */
  pass(ms) {
    const end = this.time + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.environment.clearTimeout(next);
      this.time = Math.max(this.time, next.at);
      next.callback();
    }
    this.time = end;
  }

  /** Lets the machine sleep: time passes and no timer runs. @param {number} ms */
  sleep(ms) {
    this.time += ms;
  }
}

/** Waits until promises that are ready have gone on. */
export async function settle() {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
