/**
 * The element of a person's message.
 *
 * @module
 */

import { isLong } from "ds/ui/conversation/message-texts.js";
import { fromTemplate, getSlot } from "ds/ui/lib/dom.js";
import { showTime } from "ds/ui/lib/local-time.js";
import { sentence } from "ds/ui/lib/strings.js";

/**
 * @param {{id: string, text: string, at: string, state: string, name: string, mine: boolean}} message `at`: an ISO time; `name`: the
 *   author's; `mine`: the reader wrote it
 * @returns {HTMLElement}
 */
export function userMessage({ id, text, at, state, name, mine }) {
  const element = fromTemplate("user-message");
  element.dataset.message = id;
  element.dataset.state = state;
  getSlot(element, "text").textContent = text;
  getSlot(element, "author").textContent = mine ? sentence("you") : name;
  getSlot(element, "name").textContent = mine ? "" : name;
  if (isLong(text)) {
    element.dataset.long = "";
    getSlot(element, "text").tabIndex = 0;
  }
  showTime(element, at);
  return element;
}

/**
 * Shows what became of a message that was sent while an agent worked.
 *
 * @param {HTMLElement} element
 * @param {string} note
 */
export function showNote(element, note) {
  const place = getSlot(element, "state");
  if (place.textContent !== note) place.textContent = note;
}
