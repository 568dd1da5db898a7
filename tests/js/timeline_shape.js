/**
 * A Timeline in the form of tests/fixtures and of Python.
 *
 * @import { Timeline } from "ds/core/timeline-types.js"
 */

/** @param {Timeline} timeline */
export function shapeOf({ messages, runs, calls, asks, consents, queue, title, cursor }) {
  const lists = Object.entries({ messages, runs, calls, asks, consents });
  const written = lists.map(([name, values]) => [name, [...values.values()].map(wireNames)]);
  return { ...Object.fromEntries(written), queue, title, cursor };
}

/** @param {object} value */
function wireNames(value) {
  const snake = (/** @type {string} */ name) =>
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [snake(name), field]));
}
