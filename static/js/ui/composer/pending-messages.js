/**
 * The messages that were sent and are not in the log yet. They are shown at once; a refused one with the reason, Retry and Edit.
 *
 * @module
 */

import { userMessage } from "ds/ui/conversation/user-message.js";
import { fromTemplate, getSlot, setChildren } from "ds/ui/lib/dom.js";
import { sentence } from "ds/ui/lib/strings.js";

const DELAY_MS = 1_000; // most messages arrive sooner: “Sending …” would only flicker

/** @typedef {{id: string, text: string, at: number, reason: string | null}} PendingMessage `reason`: of a refusal */

export class PendingMessages {
  /** @type {Map<string, {element: HTMLElement, message: PendingMessage}>} */
  #shown = new Map();

  /**
   * @param {HTMLElement} root
   * @param {{isLive(): boolean, retry(id: string): void, edit(id: string, text: string): void}} actions
   */
  constructor(root, actions) {
    this.root = root;
    this.actions = actions;
    root.addEventListener("click", (event) => this.#onClick(event));
  }

  ids() {
    return [...this.#shown.keys()];
  }

  /** Shows the message, or its new state. @param {PendingMessage} message */
  show(message) {
    const { id, text, at, reason } = message;
    if (this.#shown.get(id)?.message.reason === reason) return;
    const state = reason === null ? "pending" : "refused";
    const element = userMessage({ id, text, at: new Date(at).toISOString(), state, name: "", mine: true });
    this.#shown.set(id, { element, message });
    if (reason === null) setTimeout(() => this.#explain(id), DELAY_MS);
    else {
      getSlot(element, "state").textContent = sentence("not_sent", { reason });
      element.querySelector(".message-foot")?.append(fromTemplate("refused-actions"));
    }
    setChildren(
      this.root,
      [...this.#shown.values()].map((shown) => shown.element),
    );
  }

  /** @param {string} id */
  remove(id) {
    this.#shown.get(id)?.element.remove();
    this.#shown.delete(id);
  }

  /** Says what the message waits for. @param {string} id */
  #explain(id) {
    const shown = this.#shown.get(id);
    if (shown?.message.reason !== null) return;
    getSlot(shown.element, "state").textContent = sentence(
      this.actions.isLive() ? "pending" : "offline_pending",
    );
  }

  /** @param {MouseEvent} event */
  #onClick({ target }) {
    const button = target instanceof Element ? target.closest("[data-action]") : null;
    const id = button?.closest("[data-message]")?.getAttribute("data-message") ?? "";
    const shown = this.#shown.get(id);
    if (!button || !shown) return;
    if (button.getAttribute("data-action") === "edit") this.actions.edit(id, shown.message.text);
    else this.actions.retry(id);
  }
}
