/**
 * The read mark: what was on a screen that somebody looked at. Told at once, and then at most every 0.8 s while text streams.
 *
 * @module
 */

const PAUSE_MS = 800;

export class Reading {
  #seq = 0;
  #told = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pause;

  /** @param {(seq: number) => void} mark */
  constructor(mark) {
    this.mark = mark;
    document.addEventListener("visibilitychange", () => this.#soon());
    // Who leaves has read what was there, also in the last moment.
    addEventListener("pagehide", () => this.#tell());
  }

  /** The reader stands at the end, with everything up to `seq` on the page. @param {number} seq */
  seen(seq) {
    this.#seq = Math.max(seq, this.#seq);
    this.#soon();
  }

  #soon() {
    if (this.#pause !== undefined || !this.#tell()) return;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#soon();
    }, PAUSE_MS);
  }

  /** @returns {boolean} was there something to tell? */
  #tell() {
    if (document.visibilityState !== "visible" || this.#seq <= this.#told) return false;
    this.#told = this.#seq;
    this.mark(this.#seq);
    return true;
  }
}
