/**
 * What the layout has to know of texts.
 *
 * @module
 * @import { Message } from "ds/core/timeline-types.js"
 */

import { count } from "ds/core/code-points.js";

const LONG_TEXT = 2_500; // code points; a longer post gets a scroll bar of its own
const LONG_LINES = 30;

/**
 * Returns whether the Message has no text yet: an agent opens its Message before the model's first word.
 *
 * @param {Message} message
 */
export function isEmpty({ parts }) {
  return parts.every(({ text }) => text === "");
}

/**
 * Returns whether a person's Message gets a scroll bar of its own.
 *
 * @param {string} text
 */
export function isLong(text) {
  if (text.length > LONG_TEXT && count(text) > LONG_TEXT) return true;
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0 && lines <= LONG_LINES; at = text.indexOf("\n", at + 1)) lines++;
  return lines > LONG_LINES;
}
