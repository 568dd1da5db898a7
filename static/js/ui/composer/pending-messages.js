/**
 * What was sent and is not in the log yet: on the screen at once; where it was refused, with the reason and two ways on.
 *
 * @module
 */

import { saidElement } from "ds/ui/conversation/user-message.js";
import { arrange, slot, stencil } from "ds/ui/lib/dom.js";
import { say } from "ds/ui/lib/strings.js";

const PATIENCE_MS = 1_000; // what arrives sooner need not be called waiting

/** @typedef {{id: string, text: string, at: number, reason: string | null}} Sent `reason`: why it was refused, if it was */

export class Pending {
  /** @type {Map<string, {element: HTMLElement, sent: Sent}>} */
  #shown = new Map();

  /**
   * @param {HTMLElement} root
   * @param {{isLive(): boolean, again(id: string): void, edit(id: string, text: string): void}} ways
   */
  constructor(root, ways) {
    this.root = root;
    this.ways = ways;
    root.addEventListener("click", (event) => this.#click(event));
  }

  ids() {
    return [...this.#shown.keys()];
  }

  /** @param {Sent} sent as it is now */
  show(sent) {
    const { id, text, at } = sent;
    const there = this.#shown.get(id);
    if (there?.sent.reason === sent.reason) return;
    const state = sent.reason === null ? "pending" : "refused";
    const element = saidElement({ id, text, at: new Date(at).toISOString(), state, name: "", mine: true });
    this.#shown.set(id, { element, sent });
    if (sent.reason === null) setTimeout(() => this.#explain(id), PATIENCE_MS);
    else {
      slot(element, "state").textContent = say("not_sent", { reason: sent.reason });
      element.querySelector(".foot")?.append(stencil("refused"));
    }
    arrange(
      this.root,
      [...this.#shown.values()].map((shown) => shown.element),
    );
  }

  /** It is in the log now, or was taken back. @param {string} id */
  remove(id) {
    this.#shown.get(id)?.element.remove();
    this.#shown.delete(id);
  }

  /** Say what it waits for. @param {string} id */
  #explain(id) {
    const shown = this.#shown.get(id);
    if (shown?.sent.reason !== null) return;
    slot(shown.element, "state").textContent = say(this.ways.isLive() ? "pending" : "offline_pending");
  }

  /** @param {MouseEvent} event */
  #click({ target }) {
    const button = target instanceof Element ? target.closest("[data-way]") : null;
    const id = button?.closest("[data-message]")?.getAttribute("data-message") ?? "";
    const shown = this.#shown.get(id);
    if (!button || !shown) return;
    if (button.getAttribute("data-way") === "edit") this.ways.edit(id, shown.sent.text);
    else this.ways.again(id);
  }
}
