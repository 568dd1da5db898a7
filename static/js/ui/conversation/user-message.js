/**
 * What a person said, on the screen.
 *
 * @module
 */

import { showTime } from "ds/ui/lib/clock.js";
import { slot, stencil } from "ds/ui/lib/dom.js";
import { say } from "ds/ui/lib/strings.js";

const LONG_TEXT = 2_500; // characters; chatapp/pages/templatetags/page.py has the same numbers
const LONG_LINES = 30;

/**
 * @param {{id: string, text: string, at: string, state: string, name: string, mine: boolean}} said
 * @returns {HTMLElement}
 */
export function saidElement({ id, text, at, state, name, mine }) {
  const element = stencil("said");
  element.dataset.message = id;
  element.dataset.state = state;
  slot(element, "text").textContent = text;
  slot(element, "who").textContent = mine ? say("you") : name;
  slot(element, "name").textContent = mine ? "" : name;
  if (isLong(text)) {
    element.dataset.long = "";
    slot(element, "text").tabIndex = 0;
  }
  showTime(element, at);
  return element;
}

/** @param {string} text */
function isLong(text) {
  if (text.length > LONG_TEXT) return true;
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0 && lines <= LONG_LINES; at = text.indexOf("\n", at + 1)) lines++;
  return lines > LONG_LINES;
}
