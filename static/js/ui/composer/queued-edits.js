/**
 * The edits of queued messages that are under way. What was typed and is not saved is stored over reloads.
 *
 * @module
 * @import { StoredTexts } from "ds/ui/lib/stored-texts.js"
 */

import { isVisible } from "ds/core/texts.js";
import { QueuedEdit } from "ds/ui/composer/queued-edit.js";

export class QueuedEdits {
  /** @type {Map<string, QueuedEdit>} */
  #edits = new Map();
  /** What was typed and is not saved, by Message. @type {Map<string, string>} */
  #typed;

  /**
   * @param {StoredTexts<string>} stored
   * @param {(message: string, text: string) => Promise<boolean>} save
   */
  constructor(stored, save) {
    this.stored = stored;
    this.save = save;
    this.#typed = stored.load();
  }

  /** Returns the Messages of which something is not saved. */
  unsaved() {
    return [...this.#typed.keys()];
  }

  /**
   * Shows the field in the row of a Message, with what was typed before.
   *
   * @param {string} id
   * @param {HTMLElement} row
   * @param {string} text as it is in the queue
   */
  open(id, row, text) {
    const present = this.#edits.get(id);
    if (present) return present;
    const edit = new QueuedEdit(row, text, {
      typed: this.#typed.get(id) ?? text,
      save: (changed) => this.save(id, changed),
      onInput: (typed) => this.#keep(id, typed === text || !isVisible(typed) ? undefined : typed),
      onClose: () => this.take(id),
    });
    this.#edits.set(id, edit);
    return edit;
  }

  /** @param {string} id */
  close(id) {
    this.#edits.get(id)?.close();
  }

  /** Ends the edit of a Message. Returns what was typed and is not saved. @param {string} id */
  take(id) {
    const typed = this.#typed.get(id);
    this.#edits.delete(id);
    this.#keep(id, undefined);
    return typed;
  }

  /** @type {(id: string, typed: string | undefined) => void} */
  #keep(id, typed) {
    const stored = this.stored.load(); // also the edits in other tabs
    for (const texts of [this.#typed, stored]) {
      if (typed === undefined) texts.delete(id);
      else texts.set(id, typed);
    }
    this.stored.save(stored);
  }
}
