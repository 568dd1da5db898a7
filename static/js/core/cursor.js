/**
 * The range rule (docs/reference/wire.md › The range rule): decides what a reader at a cursor does with an `events` frame.
 *
 * @module
 * @import { LogEvent } from "ds/core/events.js"
 * @import { EventsFrame } from "ds/core/protocol.js"
 */

/** @typedef {{epoch: number, seq: number}} Cursor `seq` of the last Event applied; valid in this epoch only */

/**
 * `apply`: apply these Events and move the cursor to the frame's `to`; `drop`: all of them are known; `missed`: some are missing,
 * subscribe again at the cursor.
 *
 * @typedef {{verdict: "apply", events: LogEvent[]} | {verdict: "drop"} | {verdict: "missed"}} RangeVerdict
 */

/** @type {RangeVerdict} */
const DROP = Object.freeze({ verdict: "drop" });
/** @type {RangeVerdict} */
const MISSED = Object.freeze({ verdict: "missed" });

/**
 * @param {Cursor} cursor
 * @param {EventsFrame} frame
 * @returns {RangeVerdict}
 */
export function checkRange(cursor, frame) {
  if (frame.epoch !== cursor.epoch) return MISSED;
  if (frame.to <= cursor.seq) return DROP;
  if (frame.from > cursor.seq) return MISSED;
  // A merged delta may reach back below the cursor; its offset puts it in its place.
  return { verdict: "apply", events: frame.events.filter((event) => event.seq > cursor.seq) };
}
