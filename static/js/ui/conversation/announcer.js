/**
 * What a screen reader is told while an answer streams: that it begins, whole sentences, at most every 3 s, and its end. The log
 * itself is silent (`aria-live=off`), or every word would be read.
 *
 * @module
 */

const PAUSE_MS = 3_000;
const SENTENCE_END = /[.!?:…](?=\s)|\n/g;

export class Announcer {
  #told = 0;
  #text = "";
  #message = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLElement} region */
  constructor(region) {
    this.region = region;
  }

  /** @param {string} sentence */
  say(sentence) {
    this.region.textContent = sentence;
  }

  /**
   * The text of an answer as it is now.
   *
   * @param {string} message its id
   * @param {string} text
   */
  streamed(message, text) {
    if (message !== this.#message) {
      this.#message = message;
      this.#told = 0;
    }
    this.#text = text;
    this.#timer ??= setTimeout(() => this.#tell(), PAUSE_MS);
  }

  /** @param {string} closing what is said at the end */
  ended(closing) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.say(`${this.#text.slice(this.#told)} ${closing}`.trim());
    this.#text = "";
    this.#message = "";
  }

  #tell() {
    this.#timer = undefined;
    const rest = this.#text.slice(this.#told);
    const end = [...rest.matchAll(SENTENCE_END)].at(-1);
    if (!end) return;
    const length = end.index + end[0].length;
    this.say(rest.slice(0, length).trim());
    this.#told += length;
  }
}
