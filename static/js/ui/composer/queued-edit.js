/**
 * The field in which a queued message is edited, in the place of its text.
 *
 * @module
 */

import { withoutBlankLines } from "ds/core/texts.js";
import { fromTemplate, getSlot } from "ds/ui/lib/dom.js";

export class QueuedEdit {
  /**
   * @param {HTMLElement} row
   * @param {string} text
   * @param {{typed: string, save: (text: string) => Promise<boolean>, onInput: (typed: string) => void, onClose: () => void}} options
   *   `typed`: what the field holds at first
   */
  constructor(row, text, { typed, save, onInput, onClose }) {
    this.row = row;
    this.text = text;
    this.onClose = onClose;
    this.form = /** @type {HTMLFormElement} */ (fromTemplate("queued-edit"));
    this.field = /** @type {HTMLTextAreaElement} */ (this.form.querySelector("textarea"));
    this.field.value = typed;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save(save);
    });
    this.field.addEventListener("input", () => onInput(this.field.value));
    this.field.addEventListener("keydown", (event) => this.#onKey(event));
    row.toggleAttribute("data-editing", true);
    getSlot(row, "text").after(this.form);
  }

  focus() {
    this.field.focus();
  }

  close() {
    this.form.remove();
    this.row.toggleAttribute("data-editing", false);
    this.row.querySelector("button")?.focus();
    this.onClose();
  }

  /** @param {(text: string) => Promise<boolean>} save */
  async #save(save) {
    const text = withoutBlankLines(this.field.value);
    if (text === "" || text === this.text) return this.close();
    if (await save(text)) this.close();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault(); // or it would stop the answer
      this.close();
    }
    if (event.key === "Enter" && !event.shiftKey && !matchMedia("(pointer: coarse)").matches) {
      event.preventDefault();
      this.form.requestSubmit();
    }
  }
}
