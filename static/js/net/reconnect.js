/**
 * Opens the next socket when one has ended: at once, then after a growing wait; when the server says; or, after a refusal, when the
 * person asks.
 *
 * @module
 * @import { Environment } from "ds/net/environment.js"
 * @import { Ending, Socket } from "ds/net/socket.js"
 */

import { delay } from "ds/core/backoff.js";
import { Close, mayReconnect } from "ds/core/protocol.js";

export const TICK_MS = 1_000;
export const GAP_MS = 3_000; // between two ticks: the machine has slept
export const STABLE_MS = 5_000; // a socket that lived so long resets the wait
export const YOUNG_MS = 1_000; // a younger attempt is not replaced by a new one

/**
 * `at`: the time of the next attempt, in ms since 1970; it has passed while an attempt runs. `offline`: the browser reports no
 * network; attempts go on. `signed_out` and `refused` last until `retryNow`.
 *
 * @typedef {{name: "live"} | {name: "connecting"} | {name: "reconnecting", at: number} | {name: "offline", at: number}
 *   | {name: "signed_out"} | {name: "refused", code: number, reason: string} | {name: "closed"}} Status
 */
/** @typedef {{open(): Socket, tick(): void, status(status: Status): void}} Hooks `tick`: about once a second */
/** @typedef {"stopped" | "opening" | "live" | "waiting" | "refused"} Phase */

export class Reconnect {
  /** The newest socket, which may have ended. @type {Socket | null} */
  socket = null;
  /** @type {Phase} */
  #phase = "stopped";
  #failures = 0;
  #phaseSince = 0;
  #tickedAt = 0;
  #isFirst = true;
  /** @type {unknown} */
  #waitTimer;
  /** @type {unknown} */
  #tickTimer;
  /** @type {() => void} */
  #stopWaking = () => {};

  /**
   * @param {Environment} environment
   * @param {Hooks} hooks
   */
  constructor(environment, hooks) {
    this.environment = environment;
    this.hooks = hooks;
  }

  start() {
    if (this.#phase !== "stopped") return;
    this.#stopWaking = this.environment.onWake(() => this.wake());
    this.#tickedAt = this.environment.now();
    this.#tickTimer = this.environment.setTimeout(() => this.#tick(), TICK_MS);
    this.#open();
  }

  stop() {
    this.socket?.abandon();
    this.#stopWaking();
    this.environment.clearTimeout(this.#tickTimer);
    this.#enter("stopped", { name: "closed" });
  }

  /** To be called when the server has sent `welcome`. */
  onWelcome() {
    this.#enter("live", { name: "live" });
  }

  /** Tries now, also after a refusal: the person asked for it. */
  retryNow() {
    if (this.#phase === "refused") this.#open();
    else this.wake();
  }

  /** Probes the live socket, or tries now: the network or the person has come back. */
  wake() {
    if (this.#phase === "live") this.socket?.probe();
    const isStuck = this.#phase === "opening" && this.environment.now() - this.#phaseSince > YOUNG_MS;
    if (isStuck) this.socket?.abandon();
    if (!isStuck && this.#phase !== "waiting") return;
    this.#failures = 0;
    this.#open();
  }

  /** @param {Ending} ending of the newest socket */
  onEnded({ code, reason, goodbye }) {
    if (this.#phase !== "opening" && this.#phase !== "live") return;
    if (code === Close.NOT_SIGNED_IN) return this.#enter("refused", { name: "signed_out" });
    if (!mayReconnect(code)) return this.#enter("refused", { name: "refused", code, reason });
    const lived = this.environment.now() - this.#phaseSince;
    if (this.#phase === "live" && lived >= STABLE_MS) this.#failures = 0;
    // A server that restarts ends many sockets at once: their tabs must not all come back in the same moment.
    if (code === Close.BUSY || code === Close.RESTART) this.#failures = Math.max(1, this.#failures);
    this.#wait(goodbye?.retry_after_ms ?? delay(this.#failures, this.environment.random));
  }

  /** @param {number} ms */
  #wait(ms) {
    this.#failures++;
    const at = this.environment.now() + ms;
    this.#enter("waiting", { name: this.environment.online() ? "reconnecting" : "offline", at });
    this.#waitTimer = this.environment.setTimeout(() => this.#open(), ms);
  }

  #open() {
    const at = this.environment.now();
    this.#enter("opening", this.#isFirst ? { name: "connecting" } : { name: "reconnecting", at });
    this.#isFirst = false;
    try {
      this.socket = this.hooks.open();
    } catch (error) {
      // A browser refuses some addresses at once.
      this.onEnded({ code: Close.ABNORMAL, reason: String(error), goodbye: null });
    }
  }

  /**
   * @param {Phase} phase
   * @param {Status} status
   */
  #enter(phase, status) {
    this.environment.clearTimeout(this.#waitTimer);
    this.#phase = phase;
    this.#phaseSince = this.environment.now();
    this.hooks.status(status);
  }

  #tick() {
    const now = this.environment.now();
    const hasSlept = now - this.#tickedAt > GAP_MS;
    this.#tickedAt = now;
    this.#tickTimer = this.environment.setTimeout(() => this.#tick(), TICK_MS);
    if (hasSlept) this.wake();
    this.socket?.tick();
    this.hooks.tick();
  }
}
