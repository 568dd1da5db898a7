/**
 * What was typed and not yet sent, kept per Session over reloads, expired sign-ins and crashes. Whoever signs in next on this
 * browser does not see it.
 *
 * @module
 */

const PAUSE_MS = 300; // typing is not held up by a write per letter

export class Draft {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {string} session its id, or `new`
   * @param {HTMLTextAreaElement} field
   */
  constructor(session, field) {
    this.key = `ds:draft:${field.form?.dataset.user}:${session}`;
    this.field = field;
    field.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.keep(), PAUSE_MS);
    });
    // The last moments: a tab that is closed, or frozen by a phone, gets no other.
    addEventListener("pagehide", () => this.keep());
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.keep());
  }

  /** What was kept. */
  kept() {
    try {
      return localStorage.getItem(this.key) ?? "";
    } catch {
      return ""; // storage is forbidden: then there is nothing to put back
    }
  }

  keep() {
    clearTimeout(this.#timer);
    try {
      if (this.field.value) localStorage.setItem(this.key, this.field.value);
      else localStorage.removeItem(this.key);
    } catch {
      // storage is full or forbidden: the text stays in the field at least
    }
  }
}
