/**
 * The Timeline: the fold of a Session's Events that a screen shows. sessions_core/protocol/timeline.py is the same fold in Python;
 * tests/fixtures/timeline holds both together.
 *
 * @module
 * @import { LogEvent } from "ds/core/events.js"
 * @import { Changes, Timeline } from "ds/core/timeline-types.js"
 */

import { applyMessageEvent, steer } from "ds/core/timeline-messages.js";
import { applyRunEvent, beginRun } from "ds/core/timeline-runs.js";
import { applyAskEvent, applyConsent, applyToolEvent } from "ds/core/timeline-work.js";

/** @returns {Timeline} */
export function emptyTimeline(epoch = 0, cursor = 0) {
  const maps = {
    messages: new Map(),
    runs: new Map(),
    calls: new Map(),
    asks: new Map(),
    consents: new Map(),
  };
  return { ...maps, queue: null, title: null, cursor, epoch, loose: [] };
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
  const changes = { messages: new Set(), runs: new Set(), removed: new Set(), queue: false, title: false };
  for (const event of events) {
    if (event.seq <= timeline.cursor) continue;
    if (!apply(timeline, event, changes)) timeline.loose.push(event);
    timeline.cursor = event.seq;
  }
  if (to !== undefined) timeline.cursor = Math.max(timeline.cursor, to);
  for (const id of changes.removed) changes.messages.delete(id);
  return changes;
}

/**
 * Puts an earlier page of the log before the Timeline, as when a person scrolls back. What began in that page gets the later Events
 * that the Timeline had kept for it.
 *
 * @param {Timeline} timeline
 * @param {readonly LogEvent[]} events all of them before the Timeline's first
 * @returns {Changes} what is new in front
 */
export function prepend(timeline, events) {
  const earlier = emptyTimeline(timeline.epoch);
  const changes = fold(earlier, events);
  const later = fold(earlier, timeline.loose);
  const messages = new Map([...earlier.messages, ...timeline.messages]);
  timeline.messages = new Map([...messages].sort(([, one], [, other]) => one.seq - other.seq)); // steers have moved
  timeline.runs = new Map([...earlier.runs, ...timeline.runs]);
  timeline.calls = new Map([...earlier.calls, ...timeline.calls]);
  timeline.asks = new Map([...earlier.asks, ...timeline.asks]);
  timeline.consents = new Map([...earlier.consents, ...timeline.consents]);
  if (timeline.queue === null && earlier.queue !== null) {
    timeline.queue = earlier.queue;
    changes.queue = true;
  }
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
 * @returns {boolean} false: it is about something that began before this Timeline
 */
function apply(timeline, event, changes) {
  switch (event.kind) {
    case "session.created":
    case "session.renamed":
      timeline.title = event.data.title;
      changes.title = true;
      return true;
    case "message.dequeued":
      beginRun(timeline, event, changes);
      return applyMessageEvent(timeline, event, changes);
    case "message.posted":
    case "message.queued_edited":
    case "message.started":
    case "message.delta":
    case "message.completed":
      return applyMessageEvent(timeline, event, changes);
    case "tool.called":
    case "tool.progressed":
    case "tool.returned":
    case "tool.failed":
      return applyToolEvent(timeline, event, changes);
    case "ask.opened":
    case "ask.answered":
    case "ask.closed":
      return applyAskEvent(timeline, event, changes);
    case "consent.granted":
    case "consent.revoked":
      return applyConsent(timeline, event);
    case "queue.paused":
    case "queue.resumed":
      timeline.queue = event.kind === "queue.paused" ? { paused: true, ...event.data } : { paused: false };
      changes.queue = true;
      return true;
    case "run.steered":
      return steer(timeline, event, changes);
    case "run.requested":
    case "run.started":
    case "run.restarted":
    case "run.progressed":
    case "run.waiting":
    case "run.resumed":
    case "run.cancel_requested":
    case "run.completed":
    case "run.cancelled":
    case "run.failed":
    case "run.interrupted":
      return applyRunEvent(timeline, event, changes);
    default: // kinds that this screen does not show, and kinds of later versions
      return true;
  }
}
