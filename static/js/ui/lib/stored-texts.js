/**
 * What was typed into the fields of a form and not sent, stored over reloads.
 *
 * @module
 */

/** @template T what a field holds: JSON */
export class StoredTexts {
  /** @param {string} key of the form, with the user's id */
  constructor(key) {
    this.key = `ds:${key}`;
  }

  /** Returns what is stored, by field; empty if nothing is. @returns {Map<string, T>} */
  load() {
    try {
      return new Map(Object.entries(JSON.parse(localStorage.getItem(this.key) ?? "{}")));
    } catch {
      return new Map(); // storage is forbidden
    }
  }

  /** @param {ReadonlyMap<string, T>} typed by field; nothing is stored where it is empty */
  save(typed) {
    try {
      if (typed.size > 0) localStorage.setItem(this.key, JSON.stringify(Object.fromEntries(typed)));
      else localStorage.removeItem(this.key);
    } catch {
      // storage is full or forbidden: the text is in the form at least
    }
  }

  forget() {
    this.save(new Map());
  }
}
