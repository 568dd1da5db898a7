/**
 * The read mark: what was on a screen that somebody looked at.
 *
 * @module
 */

const PAUSE_MS = 800;

export class Reading {
  #seq = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {(seq: number) => void} mark */
  constructor(mark) {
    this.mark = mark;
    document.addEventListener("visibilitychange", () => this.#soon());
    addEventListener("pagehide", () => this.#now());
  }

  /** The reader stands at the end, with everything up to `seq` on the page. @param {number} seq */
  seen(seq) {
    if (seq <= this.#seq) return;
    this.#seq = seq;
    this.#soon();
  }

  #soon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#tell();
    }, PAUSE_MS);
  }

  /** Who leaves has read what was there, also in the last moment. */
  #now() {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tell();
  }

  #tell() {
    if (document.visibilityState === "visible" && this.#seq > 0) this.mark(this.#seq);
  }
}
