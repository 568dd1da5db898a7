/**
 * The Timeline: the fold of a Session's Events that a screen shows. The same fold is written in Python
 * (sessions_core/protocol/timeline.py); both are held together by tests/fixtures/timeline.
 *
 * @module
 * @import { LogEvent } from "ds/core/events.js"
 * @import { Changes, Timeline } from "ds/core/timeline-types.js"
 */

import { applyMessageEvent } from "ds/core/timeline-messages.js";
import { applyRunEvent } from "ds/core/timeline-runs.js";

/** @returns {Timeline} */
export function emptyTimeline(epoch = 0, cursor = 0) {
  return { messages: new Map(), runs: new Map(), title: null, cursor, epoch, loose: [] };
}

/**
 * Fold the Events into the Timeline, which is changed in place. Events at or below its cursor are passed over.
 *
 * @param {Timeline} timeline
 * @param {readonly LogEvent[]} events in seq order
 * @param {number} [to] the end of the range that the events cover, when that is past the last of them
 * @returns {Changes}
 */
export function fold(timeline, events, to) {
  /** @type {Changes} */
  const changes = { messages: new Set(), runs: new Set(), removed: new Set(), title: false };
  for (const event of events) {
    if (event.seq <= timeline.cursor) continue;
    apply(timeline, event, changes);
    timeline.cursor = event.seq;
  }
  if (to !== undefined) timeline.cursor = Math.max(timeline.cursor, to);
  for (const id of changes.removed) changes.messages.delete(id);
  return changes;
}

/**
 * Put an earlier page of the log before what the Timeline has, as when somebody scrolls back. What of that page went on
 * later is brought up to date.
 *
 * @param {Timeline} timeline
 * @param {readonly LogEvent[]} events all below what the Timeline was begun with
 * @returns {Changes} what is new at the front
 */
export function prepend(timeline, events) {
  const earlier = emptyTimeline(timeline.epoch);
  const changes = fold(earlier, events);
  const later = fold(earlier, timeline.loose);
  timeline.messages = new Map([...earlier.messages, ...timeline.messages]);
  timeline.runs = new Map([...earlier.runs, ...timeline.runs]);
  if (timeline.title === null && earlier.title !== null) {
    timeline.title = earlier.title;
    changes.title = true;
  }
  timeline.loose = earlier.loose;
  for (const id of later.messages) changes.messages.add(id);
  for (const id of later.runs) changes.runs.add(id);
  for (const id of later.removed) changes.messages.delete(id);
  return changes;
}

/**
 * @param {Timeline} timeline
 * @param {LogEvent} event
 * @param {Changes} changes
 */
function apply(timeline, event, changes) {
  switch (event.kind) {
    case "session.created":
    case "session.renamed":
      timeline.title = event.data.title;
      changes.title = true;
      return;
    case "message.posted":
    case "message.started":
    case "message.delta":
    case "message.completed":
      if (!applyMessageEvent(timeline, event, changes)) timeline.loose.push(event);
      return;
    case "run.requested":
    case "run.started":
    case "run.restarted":
    case "run.progressed":
    case "run.cancel_requested":
    case "run.completed":
    case "run.cancelled":
    case "run.failed":
    case "run.interrupted":
      if (!applyRunEvent(timeline, event, changes)) timeline.loose.push(event);
      return;
    default: // kinds of other screens, and kinds of later versions
  }
}
