/**
 * The text that was typed and not sent yet, stored per user and Session over reloads, expired sign-ins and crashes.
 *
 * @module
 */

const PAUSE_MS = 300; // a write per letter would slow typing down

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
      this.#timer = setTimeout(() => this.save(), PAUSE_MS);
    });
    // A tab that is closed, or frozen by a phone, runs nothing after these events.
    addEventListener("pagehide", () => this.save());
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.save());
  }

  /** Returns the stored text. */
  load() {
    try {
      return localStorage.getItem(this.key) ?? "";
    } catch {
      return ""; // storage is forbidden
    }
  }

  /** Stores the field's text now. */
  save() {
    clearTimeout(this.#timer);
    try {
      if (this.field.value) localStorage.setItem(this.key, this.field.value);
      else localStorage.removeItem(this.key);
    } catch {
      // storage is full or forbidden: the text is in the field at least
    }
  }
}
