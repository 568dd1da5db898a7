/**
 * The range rule (docs/reference/wire.md › The range rule): what a reader at a cursor does with an `events` frame.
 *
 * @module
 * @import { LogEvent } from "ds/core/events.js"
 * @import { EventsFrame } from "ds/core/protocol.js"
 */

/** @typedef {{epoch: number, seq: number}} Cursor `seq` of the last Event applied; only valid inside its epoch */

/**
 * `apply` what is new and move the cursor to the frame's `to`; `drop` what is known; `missed`: subscribe again at the cursor.
 *
 * @typedef {{verdict: "apply", events: LogEvent[]} | {verdict: "drop"} | {verdict: "missed"}} Reading
 */

/** @type {Reading} */
const DROP = Object.freeze({ verdict: "drop" });
/** @type {Reading} */
const MISSED = Object.freeze({ verdict: "missed" });

/**
 * @param {Cursor} cursor
 * @param {EventsFrame} frame
 * @returns {Reading}
 */
export function read(cursor, frame) {
  if (frame.epoch !== cursor.epoch) return MISSED;
  if (frame.to <= cursor.seq) return DROP;
  if (frame.from > cursor.seq) return MISSED;
  // A merged delta may reach back below the cursor; its offset tells the fold where it belongs.
  return { verdict: "apply", events: frame.events.filter((event) => event.seq > cursor.seq) };
}
