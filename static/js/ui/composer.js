/**
 * Where people write: Enter sends, Shift+Enter breaks the line, never while an input method composes; what is too long is told
 * before it is sent.
 *
 * @module
 */

import { count } from "ds/core/code-points.js";
import { Draft } from "ds/ui/draft.js";
import { byId } from "ds/ui/page.js";
import { say } from "ds/ui/strings.js";

const IME_KEY = 229; // what some browsers say instead of `isComposing`, for the Enter that ends a composition
const COARSE = matchMedia("(pointer: coarse)");

export class Composer {
  /**
   * @param {{session: string, onSend: (text: string) => void}} options `session`: its id, or `new`
   */
  constructor({ session, onSend }) {
    this.form = byId("composer", HTMLFormElement);
    this.field = byId("text", HTMLTextAreaElement);
    this.button = byId("send", HTMLButtonElement);
    this.counter = byId("count", HTMLElement);
    this.limit = Number(this.form.dataset.limit);
    this.onSend = onSend;
    this.draft = new Draft(session, this.field);
    this.draft.restore();
    this.field.required = false; // an empty field is no error: the button is simply off
    this.field.addEventListener("input", () => this.#measure());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.form.addEventListener("submit", (event) => this.#submit(event));
    this.form.addEventListener("click", (event) => event.target === this.form && this.field.focus());
    this.#measure();
  }

  /** Put this text back, before what is there. @param {string} text */
  giveBack(text) {
    const rest = this.field.value;
    this.field.value = rest ? `${text}\n\n${rest}` : text;
    this.draft.keep();
    this.#measure();
    this.field.focus();
  }

  clear() {
    this.field.value = "";
    this.draft.keep();
    this.#measure();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Enter" || event.isComposing || event.keyCode === IME_KEY) return;
    if (event.shiftKey || event.altKey) return;
    // On a phone Enter breaks the line, as everywhere else there; the button sends.
    if (COARSE.matches && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    if (!this.button.disabled) this.form.requestSubmit(this.button);
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    if (event.submitter && event.submitter !== this.button) return; // Stop has its own way
    event.preventDefault();
    const text = this.field.value.trim();
    if (text && !this.button.disabled) this.onSend(text);
  }

  #measure() {
    const { value } = this.field;
    // Counting is only worth it near the limit: a text has at most as many code points as units.
    const over = value.length > this.limit ? count(value.trim()) - this.limit : 0;
    this.button.disabled = over > 0 || value.trim() === "";
    const said =
      over > 0 ? say("too_long", { over: over.toLocaleString(), limit: this.limit.toLocaleString() }) : "";
    if (this.counter.textContent !== said) this.counter.textContent = said;
    this.#grow();
  }

  /** Where the browser cannot size the field by its content, a short text is measured; a long one has the most height. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.field.style.blockSize = "auto";
    this.field.style.blockSize = this.field.value.length > 5_000 ? "22rem" : `${this.field.scrollHeight}px`;
  }
}
