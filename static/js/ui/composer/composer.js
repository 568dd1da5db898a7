/**
 * The form that messages are written in. Enter sends, Shift+Enter breaks the line; a text over the limit cannot be sent.
 *
 * @module
 * @import { Policy } from "ds/core/protocol.js"
 */

import { count } from "ds/core/code-points.js";
import { isVisible, withoutBlankLines } from "ds/core/texts.js";
import { Draft } from "ds/ui/composer/draft.js";
import { findById, getById } from "ds/ui/lib/dom.js";
import { sentence } from "ds/ui/lib/strings.js";

const LONG_TEXT = 4_000; // UTF-16 units; such a text fills the field's greatest height in any case
// Some browsers report an input method's Enter by this key code in place of `isComposing`: https://bugs.webkit.org/show_bug.cgi?id=165004
const IME_KEY = 229;
const COARSE = matchMedia("(pointer: coarse)");

export class Composer {
  /**
   * @param {{session: string, onSend: (text: string, policy?: Policy) => void}} options `session`: its id, or `new`
   */
  constructor({ session, onSend }) {
    this.form = getById("composer", HTMLFormElement);
    this.field = getById("text", HTMLTextAreaElement);
    this.button = getById("send", HTMLButtonElement);
    this.steer = findById("steer", HTMLButtonElement);
    this.counter = getById("count", HTMLElement);
    this.limit = Number(this.form.dataset.limit);
    this.onSend = onSend;
    this.draft = new Draft(session, this.field);
    if (!this.field.value) this.#setText(this.draft.load()); // a refused text, sent back by the server, comes first
    this.field.required = false; // with a script the button is disabled instead
    this.field.addEventListener("input", () => this.#update());
    this.field.addEventListener("paste", (event) => this.#onPaste(event));
    this.field.addEventListener("keydown", (event) => this.#onKey(event));
    this.form.addEventListener("submit", (event) => this.#onSubmit(event));
    this.form.addEventListener("click", (event) => event.target === this.form && this.field.focus());
    this.#update();
  }

  /** Puts a text back that was not sent, before the present one. @param {string} text */
  restore(text) {
    const present = this.field.value;
    this.#setText(present ? `${text}\n\n${present}` : text);
    this.draft.save();
    this.field.focus();
  }

  /** Empties the field. The stored draft stays until it is saved. */
  clear() {
    this.#setText("");
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key !== "Enter" || event.isComposing || event.keyCode === IME_KEY) return;
    if (event.shiftKey || event.altKey) return;
    // On a phone Enter breaks the line, as in its other apps; the button sends.
    if (COARSE.matches && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    if (!this.button.disabled) this.form.requestSubmit(this.button);
  }

  /** @param {SubmitEvent} event */
  #onSubmit(event) {
    const isSteer = this.steer !== null && event.submitter === this.steer;
    if (event.submitter && event.submitter !== this.button && !isSteer) return; // the Stop button
    event.preventDefault();
    if (!this.button.disabled)
      this.onSend(withoutBlankLines(this.field.value), isSteer ? "steer" : undefined);
  }

  #update() {
    const { value } = this.field;
    // A text has at most as many code points as UTF-16 units: below the limit there is nothing to count.
    const over = value.length > this.limit ? count(withoutBlankLines(value)) - this.limit : 0;
    this.button.disabled = over > 0 || !isVisible(value);
    if (this.steer) this.steer.disabled = this.button.disabled;
    const numbers = { over: over.toLocaleString(), limit: this.limit.toLocaleString() };
    const text = over > 0 ? sentence("too_long", numbers) : "";
    if (this.counter.textContent !== text) this.counter.textContent = text;
    this.#resize();
  }

  /** @param {string} text */
  #setText(text) {
    this.#fixHeight(text.length);
    this.field.value = text;
    this.#update();
  }

  /**
   * Inserts a long text in one piece: the browser's own way takes a minute for 20,000 lines.
   *
   * @param {ClipboardEvent} event
   */
  #onPaste(event) {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (text.length < LONG_TEXT) return;
    event.preventDefault();
    const { field } = this;
    this.#fixHeight(field.value.length + text.length);
    field.setRangeText(text.replace(/\r\n?/g, "\n"), field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /**
   * Gives the field a fixed height if its text is long. To be called before the text is set: to measure 20,000 lines takes seconds.
   *
   * @param {number} length of the text, in UTF-16 units
   */
  #fixHeight(length) {
    const isLong = length > LONG_TEXT;
    if (this.field.hasAttribute("data-long") !== isLong) this.field.toggleAttribute("data-long", isLong);
  }

  /** Sets the field's direction and, in a browser without `field-sizing`, its height. */
  #resize() {
    this.#fixHeight(this.field.value.length);
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
 * Returns the direction of the text by its first letter, as `dir=auto` does, which takes eight seconds for 20,000 lines.
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
