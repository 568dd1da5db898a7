/**
 * When to open the next link: at once after a break, then by backoff; when the server says; or not until somebody asks.
 *
 * @module
 * @import { Ending } from "ds/net/socket.js"
 * @import { Surroundings } from "ds/net/environment.js"
 */

import { delay } from "ds/core/backoff.js";
import { Close, mayReconnect } from "ds/core/protocol.js";

export const TICK_MS = 1_000;
export const GAP_MS = 3_000; // ticks that far apart: the machine slept
export const STABLE_MS = 5_000; // a link that lived so long was no failure
export const HASTE_MS = 1_000; // an attempt younger than this is not begun anew

/**
 * `at`: when the next attempt is made, in ms of the surroundings' clock; in the past while one is under way. `offline`: the
 * browser says there is no network; attempts go on. `signed_out` and `refused` stay until `now()`.
 *
 * @typedef {{name: "live"} | {name: "connecting"} | {name: "reconnecting", at: number} | {name: "offline", at: number}
 *   | {name: "signed_out"} | {name: "refused", code: number, reason: string} | {name: "closed"}} Status
 */
/**
 * @typedef {{
 *   attempt(): void, abandon(): void, probe(): void, tick(): void, status(status: Status): void,
 * }} Hooks `abandon`: forget the link that is opening, without a word
 */

export class Reconnect {
  /** @type {"stopped" | "trying" | "live" | "waiting" | "over"} */
  #phase = "stopped";
  #failures = 0;
  #since = 0;
  #tickedAt = 0;
  #first = true;
  /** @type {unknown} */
  #waitTimer;
  /** @type {unknown} */
  #tickTimer;
  /** @type {() => void} */
  #sleepOn = () => {};

  /**
   * @param {Surroundings} surroundings
   * @param {Hooks} hooks
   */
  constructor(surroundings, hooks) {
    this.surroundings = surroundings;
    this.hooks = hooks;
  }

  start() {
    if (this.#phase !== "stopped") return;
    this.#sleepOn = this.surroundings.onWake(() => this.wake());
    this.#tickedAt = this.surroundings.now();
    this.#tickTimer = this.surroundings.setTimeout(() => this.#tick(), TICK_MS);
    this.#attempt();
  }

  stop() {
    this.#sleepOn();
    this.surroundings.clearTimeout(this.#tickTimer);
    this.#enter("stopped", { name: "closed" });
  }

  /** The link said welcome. */
  live() {
    this.#enter("live", { name: "live" });
  }

  /** Somebody asked to try now: also after a refusal. */
  now() {
    if (this.#phase === "over") this.#attempt();
    else this.wake();
  }

  /** The network or the person came back: look whether the link is alive, or try at once. */
  wake() {
    if (this.#phase === "live") this.hooks.probe();
    const stuck = this.#phase === "trying" && this.surroundings.now() - this.#since > HASTE_MS;
    if (stuck) this.hooks.abandon();
    if (!stuck && this.#phase !== "waiting") return;
    this.#failures = 0;
    this.#attempt();
  }

  /** @param {Ending} ending */
  ended({ code, reason, goodbye }) {
    if (this.#phase !== "trying" && this.#phase !== "live") return;
    if (code === Close.NOT_SIGNED_IN) return this.#enter("over", { name: "signed_out" });
    if (!mayReconnect(code)) return this.#enter("over", { name: "refused", code, reason });
    const lived = this.surroundings.now() - this.#since;
    if (this.#phase === "live" && lived >= STABLE_MS) this.#failures = 0;
    // A server that goes leaves many tabs behind: they do not come back in the same moment.
    if (code === Close.BUSY || code === Close.RESTART) this.#failures = Math.max(1, this.#failures);
    const ms = goodbye?.retry_after_ms ?? delay(this.#failures, this.surroundings.random);
    this.#failures++;
    const at = this.surroundings.now() + ms;
    this.#enter(
      "waiting",
      this.surroundings.online() ? { name: "reconnecting", at } : { name: "offline", at },
    );
    this.#waitTimer = this.surroundings.setTimeout(() => this.#attempt(), ms);
  }

  #attempt() {
    const at = this.surroundings.now();
    this.#enter("trying", this.#first ? { name: "connecting" } : { name: "reconnecting", at });
    this.#first = false;
    this.hooks.attempt();
  }

  /**
   * @param {"stopped" | "trying" | "live" | "waiting" | "over"} phase
   * @param {Status} status
   */
  #enter(phase, status) {
    this.surroundings.clearTimeout(this.#waitTimer);
    this.#phase = phase;
    this.#since = this.surroundings.now();
    this.hooks.status(status);
  }

  #tick() {
    const now = this.surroundings.now();
    const slept = now - this.#tickedAt > GAP_MS;
    this.#tickedAt = now;
    this.#tickTimer = this.surroundings.setTimeout(() => this.#tick(), TICK_MS);
    if (slept) this.wake();
    this.hooks.tick();
  }
}
