/**
 * What was sent and has not come back in the log yet: on the screen at once, and given back when it is refused.
 *
 * @module
 */

import { arrange, slot } from "ds/ui/page.js";
import { saidElement } from "ds/ui/said.js";
import { say } from "ds/ui/strings.js";

const PATIENCE_MS = 1_000; // what arrives sooner need not be called waiting

export class Pending {
  /** @type {Map<string, HTMLElement>} */
  #shown = new Map();

  /**
   * @param {HTMLElement} root
   * @param {() => boolean} isLive
   */
  constructor(root, isLive) {
    this.root = root;
    this.isLive = isLive;
  }

  /**
   * @param {string} id of the command
   * @param {string} text
   */
  add(id, text) {
    if (this.#shown.has(id)) return;
    const at = new Date().toISOString();
    const element = saidElement({ id, text, at, state: "pending", name: "", mine: true });
    this.#shown.set(id, element);
    arrange(this.root, [...this.#shown.values()]);
    setTimeout(() => this.#explain(), PATIENCE_MS);
  }

  /** It is in the log now, or was refused. @param {string} id */
  remove(id) {
    this.#shown.get(id)?.remove();
    this.#shown.delete(id);
  }

  /** Say what the waiting ones wait for. */
  #explain() {
    for (const element of this.#shown.values()) {
      slot(element, "state").textContent = say(this.isLive() ? "pending" : "offline_pending");
    }
  }
}
