/**
 * What a person said, on the screen.
 *
 * @module
 */

import { isLong } from "ds/ui/conversation/layout.js";
import { showTime } from "ds/ui/lib/clock.js";
import { slot, stencil } from "ds/ui/lib/dom.js";
import { say } from "ds/ui/lib/strings.js";

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
