/**
 * Sends the read mark: the last Event that was on a visible screen. At once, then at most every 0.8 s while text streams.
 *
 * @module
 */

const PAUSE_MS = 800;

export class ReadReceipts {
  #seen = 0;
  #sent = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pause;

  /** @param {(seq: number) => void} send */
  constructor(send) {
    this.send = send;
    document.addEventListener("visibilitychange", () => this.#sendSoon());
    addEventListener("pagehide", () => this.#sendNow());
  }

  /** Notes that the reader is at the end, with everything up to `seq` on the page. @param {number} seq */
  onSeen(seq) {
    this.#seen = Math.max(seq, this.#seen);
    this.#sendSoon();
  }

  #sendSoon() {
    if (this.#pause !== undefined || !this.#sendNow()) return;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#sendSoon();
    }, PAUSE_MS);
  }

  /** @returns {boolean} false: there is nothing new to send */
  #sendNow() {
    if (document.visibilityState !== "visible" || this.#seen <= this.#sent) return false;
    this.#sent = this.#seen;
    this.send(this.#seen);
    return true;
  }
}
