/**
 * How the connection is, in a word; trouble is shown after it has lasted a second, so that a blink disturbs nobody.
 *
 * @module
 * @import { Connection } from "ds/net/connection.js"
 * @import { Status } from "ds/net/reconnect.js"
 */

import { byId } from "ds/ui/lib/dom.js";
import { say } from "ds/ui/lib/strings.js";

const PATIENCE_MS = 1_000;

export class Pill {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #patience;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #seconds;

  /**
   * @param {Connection} connection
   * @param {string} signInPath where an expired login is renewed
   */
  constructor(connection, signInPath) {
    this.connection = connection;
    this.signInPath = signInPath;
    this.element = byId("pill", HTMLElement);
    this.text = /** @type {HTMLElement} */ (this.element.querySelector(".pill__text"));
    this.button = /** @type {HTMLButtonElement} */ (this.element.querySelector(".pill__act"));
    this.button.addEventListener("click", () => this.#act());
    connection.watch((status) => this.#heard(status));
  }

  /** @param {Status} status */
  #heard(status) {
    clearInterval(this.#seconds);
    if (status.name === "live" || status.name === "signed_out" || status.name === "refused") {
      clearTimeout(this.#patience);
      this.#patience = undefined;
      this.#show(status);
      return;
    }
    if (this.element.dataset.state && this.element.dataset.state !== "live") this.#tell(status);
    else
      this.#patience ??= setTimeout(() => {
        this.#patience = undefined;
        this.#tell(this.connection.status);
      }, PATIENCE_MS);
  }

  /** Show it, and count down where there is something to count. @param {Status} status */
  #tell(status) {
    clearInterval(this.#seconds);
    this.#show(status);
    if (status.name === "reconnecting") this.#seconds = setInterval(() => this.#show(status), 1_000);
  }

  /** @param {Status} status */
  #show(status) {
    this.element.hidden = status.name === "closed";
    this.element.dataset.state = status.name === "connecting" ? "reconnecting" : status.name;
    this.#write(this.text, sentence(status, this.connection.now()));
    const act = { reconnecting: "try_now", offline: "try_now", refused: "try_now", signed_out: "sign_in" }[
      /** @type {string} */ (status.name)
    ];
    this.button.hidden = act === undefined;
    if (act) this.#write(this.button, say(act));
  }

  #act() {
    if (this.connection.status.name === "signed_out") location.assign(this.signInPath);
    else this.connection.retryNow();
  }

  /**
   * @param {HTMLElement} element
   * @param {string} words
   */
  #write(element, words) {
    if (element.textContent !== words) element.textContent = words;
  }
}

/**
 * @param {Status} status
 * @param {number} now
 */
function sentence(status, now) {
  switch (status.name) {
    case "reconnecting": {
      const seconds = Math.ceil((status.at - now) / 1_000);
      return seconds > 0 ? say("reconnecting", { seconds }) : say("reconnecting_now");
    }
    case "refused":
      return say("refused", { reason: status.reason || String(status.code) });
    case "closed":
      return "";
    default:
      return say(status.name);
  }
}
