/**
 * The state of the connection in the top bar. Trouble is shown after a second of it: most breaks are shorter.
 *
 * @module
 * @import { Connection } from "ds/net/connection.js"
 * @import { Status } from "ds/net/reconnect.js"
 */

import { getById } from "ds/ui/lib/dom.js";
import { sentence } from "ds/ui/lib/strings.js";

const DELAY_MS = 1_000;
const SHOWN_AT_ONCE = new Set(["live", "signed_out", "refused"]);
/** The text of the button, by status. @type {Record<string, string>} */
const ACTIONS = { reconnecting: "try_now", offline: "try_now", refused: "try_now", signed_out: "sign_in" };

export class ConnectionStatus {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #delay;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #countdown;

  /**
   * @param {Connection} connection
   * @param {string} signInPath the page to sign in again
   */
  constructor(connection, signInPath) {
    this.connection = connection;
    this.signInPath = signInPath;
    this.element = getById("connection-status", HTMLElement);
    this.text = /** @type {HTMLElement} */ (this.element.querySelector(".connection-status__text"));
    this.button = /** @type {HTMLButtonElement} */ (this.element.querySelector(".connection-status__action"));
    this.button.addEventListener("click", () => this.#act());
    connection.watch((status) => this.#update(status));
  }

  /** @param {Status} status */
  #update(status) {
    clearInterval(this.#countdown);
    if (SHOWN_AT_ONCE.has(status.name)) {
      clearTimeout(this.#delay);
      this.#delay = undefined;
      this.#show(status);
    } else if (this.element.dataset.state && this.element.dataset.state !== "live") {
      this.#showTrouble(status);
    } else {
      this.#delay ??= setTimeout(() => {
        this.#delay = undefined;
        this.#showTrouble(this.connection.status);
      }, DELAY_MS);
    }
  }

  /** Shows the status, and counts the seconds to the next attempt. @param {Status} status */
  #showTrouble(status) {
    clearInterval(this.#countdown);
    this.#show(status);
    if (status.name === "reconnecting") this.#countdown = setInterval(() => this.#show(status), 1_000);
  }

  /** @param {Status} status */
  #show(status) {
    this.element.hidden = status.name === "closed";
    this.element.dataset.state = status.name === "connecting" ? "reconnecting" : status.name;
    setText(this.text, textOf(status, this.connection.now()));
    const action = ACTIONS[status.name];
    this.button.hidden = action === undefined;
    if (action) setText(this.button, sentence(action));
  }

  #act() {
    if (this.connection.status.name === "signed_out") location.assign(this.signInPath);
    else this.connection.retryNow();
  }
}

/**
 * Sets the text if it is another: a screen reader would read the same text again.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {Status} status
 * @param {number} now
 */
function textOf(status, now) {
  switch (status.name) {
    case "reconnecting": {
      const seconds = Math.ceil((status.at - now) / 1_000);
      return seconds > 0 ? sentence("reconnecting", { seconds }) : sentence("reconnecting_now");
    }
    case "refused":
      return sentence("not_connected", { reason: status.reason || String(status.code) });
    case "closed":
      return "";
    default:
      return sentence(status.name);
  }
}
