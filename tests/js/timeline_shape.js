/**
 * A Timeline in the form of tests/fixtures and of Python.
 *
 * @import { Timeline } from "ds/core/timeline-types.js"
 */

/** @type {Record<string, string>} */
const WIRE = { repliesTo: "replies_to", cancelRequestedBy: "cancel_requested_by" };

/** @param {Timeline} timeline */
export function shapeOf({ messages, runs, title, cursor }) {
  return { messages: [...messages.values()], runs: [...runs.values()].map(wireNames), title, cursor };
}

/** @param {object} value */
function wireNames(value) {
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [WIRE[name] ?? name, field]));
}
