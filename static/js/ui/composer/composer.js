/**
 * Where people write: Enter sends, Shift+Enter breaks the line, never while an input method composes; what is too long is told
 * before it is sent.
 *
 * @module
 */

import { count } from "ds/core/code-points.js";
import { Draft } from "ds/ui/composer/draft.js";
import { byId } from "ds/ui/lib/dom.js";
import { say } from "ds/ui/lib/strings.js";

const LONG_TEXT = 4_000; // characters: it fills the field's greatest height in any case
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
    if (!this.field.value) this.#put(this.draft.kept()); // otherwise the server sent something back to be mended
    this.field.required = false; // an empty field is no error: the button is simply off
    this.field.addEventListener("input", () => this.#measure());
    this.field.addEventListener("paste", (event) => this.#paste(event));
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.form.addEventListener("submit", (event) => this.#submit(event));
    this.form.addEventListener("click", (event) => event.target === this.form && this.field.focus());
    this.#measure();
  }

  /** Put this text back, before what is there. @param {string} text */
  giveBack(text) {
    const rest = this.field.value;
    this.#put(rest ? `${text}\n\n${rest}` : text);
    this.draft.keep();
    this.field.focus();
  }

  /** What was typed is on its way. Its draft stays until `draft.keep()`. */
  empty() {
    this.#put("");
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

  /** @param {string} text */
  #put(text) {
    this.#makeReady(text.length);
    this.field.value = text;
    this.#measure();
  }

  /**
   * A long text is put in as one piece: the browser's own way takes a minute for 20,000 lines.
   *
   * @param {ClipboardEvent} event
   */
  #paste(event) {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (text.length < LONG_TEXT) return;
    event.preventDefault();
    const { field } = this;
    this.#makeReady(field.value.length + text.length);
    field.setRangeText(text.replace(/\r\n?/g, "\n"), field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /**
   * Before a long text comes: its height is not asked for, which takes seconds for 20,000 lines.
   *
   * @param {number} length
   */
  #makeReady(length) {
    const long = length > LONG_TEXT;
    if (this.field.hasAttribute("data-long") !== long) this.field.toggleAttribute("data-long", long);
  }

  /** As high as the text wants, and in its direction; where the browser cannot size the field by its content, it is measured. */
  #grow() {
    this.#makeReady(this.field.value.length);
    this.field.dir = directionOf(this.field.value);
    const { style } = this.field;
    style.blockSize = "";
    if (!CSS.supports("field-sizing", "content") && !this.field.hasAttribute("data-long")) {
      style.blockSize = "auto";
      style.blockSize = `${this.field.scrollHeight}px`;
    }
  }
}

/**
 * The direction of the text by its first letter, as `dir=auto` has it: but that takes eight seconds for 20,000 lines.
 *
 * @param {string} text
 */
function directionOf(text) {
  const letter = text.slice(0, 500).match(/\p{L}/u)?.[0] ?? "";
  if (!letter) return document.documentElement.dir;
  return /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u.test(letter)
    ? "rtl"
    : "ltr";
}
