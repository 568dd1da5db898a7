/**
 * Speaks through a live region of the page: whole sentences of a streamed text, at most every 3 s, and single sentences.
 *
 * @module
 */

const PAUSE_MS = 3_000;
const SENTENCE_END = /[.!?:…](?=\s)|\n/g;

export class Announcer {
  /** Length of the text that was announced. */
  #announced = 0;
  #text = "";
  #message = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLElement} region with `aria-live` */
  constructor(region) {
    this.region = region;
  }

  /** @param {string} text */
  announce(text) {
    this.region.textContent = text;
  }

  /**
   * Announces the new sentences of an answer at the next pause.
   *
   * @param {string} message its id
   * @param {string} text the whole text so far
   */
  stream(message, text) {
    if (message !== this.#message) {
      this.#message = message;
      this.#announced = 0;
    }
    this.#text = text;
    this.#timer ??= setTimeout(() => this.#announceSentences(), PAUSE_MS);
  }

  /** Announces what the answer has so far, and a sentence after it. @param {string} text */
  interject(text) {
    const rest = this.#text.slice(this.#announced);
    this.#announced = this.#text.length;
    this.announce(`${rest} ${text}`.trim());
  }

  /** Announces the rest of the answer and a closing sentence. @param {string} closing */
  finish(closing) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.interject(closing);
    this.#text = "";
    this.#message = "";
  }

  #announceSentences() {
    this.#timer = undefined;
    const rest = this.#text.slice(this.#announced);
    const end = [...rest.matchAll(SENTENCE_END)].at(-1);
    if (!end) return;
    const length = end.index + end[0].length;
    this.announce(rest.slice(0, length).trim());
    this.#announced += length;
  }
}
