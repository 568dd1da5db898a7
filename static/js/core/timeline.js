/**
 * The Timeline: the fold of a Session's Events that a screen shows. sessions_core/protocol/timeline.py is the same fold in Python;
 * tests/fixtures/timeline holds both together.
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
 * Folds the Events into the Timeline in place. Events at or below its cursor are skipped.
 *
 * @param {Timeline} timeline
 * @param {readonly LogEvent[]} events in seq order
 * @param {number} [to] the end of the range that the events cover, if that lies behind the last of them
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
 * Puts an earlier page of the log before the Timeline, as when a person scrolls back. Messages and Runs that began in that page
 * get the later Events that the Timeline had kept for them.
 *
 * @param {Timeline} timeline
 * @param {readonly LogEvent[]} events all of them before the Timeline's first
 * @returns {Changes} what is new in front
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
    default: // kinds that this screen does not show, and kinds of later versions
  }
}
