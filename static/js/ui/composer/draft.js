/**
 * The text that was typed and is nowhere else yet, stored per user and Session over reloads, expired sign-ins and crashes.
 *
 * @module
 */

const PAUSE_MS = 300; // a write per letter would slow typing down

export class Draft {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** Texts that were sent, each in an object of its own. @type {Set<{text: string}>} */
  #held = new Set();

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

  /**
   * Keeps a text that has left the field, before the field's own.
   *
   * @param {string} text
   * @returns {() => void} to be called when the text is safe elsewhere
   */
  hold(text) {
    const held = { text };
    this.#held.add(held);
    this.save();
    return () => {
      if (this.#held.delete(held)) this.save();
    };
  }

  /** Stores the texts now. */
  save() {
    clearTimeout(this.#timer);
    const texts = [...this.#held].map(({ text }) => text);
    const whole = [...texts, this.field.value].filter(Boolean).join("\n\n");
    try {
      if (whole) localStorage.setItem(this.key, whole);
      else localStorage.removeItem(this.key);
    } catch {
      // storage is full or forbidden: the text is in the field at least
    }
  }
}
