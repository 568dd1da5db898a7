/**
 * What was typed into a form and not sent, stored by Ask over reloads.
 *
 * @module
 * @import { TypedByPath } from "ds/ui/asks/values.js"
 */

export class AskDraft {
  /**
   * @param {string} user the reader's id
   * @param {string} ask
   */
  constructor(user, ask) {
    this.key = `ds:ask:${user}:${ask}`;
  }

  /** Returns what is stored; empty if nothing is. @returns {TypedByPath} */
  load() {
    try {
      return new Map(Object.entries(JSON.parse(localStorage.getItem(this.key) ?? "{}")));
    } catch {
      return new Map(); // storage is forbidden
    }
  }

  /** @param {TypedByPath} typed */
  save(typed) {
    try {
      localStorage.setItem(this.key, JSON.stringify(Object.fromEntries(typed)));
    } catch {
      // storage is full or forbidden: the text is in the form at least
    }
  }

  forget() {
    try {
      localStorage.removeItem(this.key);
    } catch {
      // storage is forbidden
    }
  }
}
