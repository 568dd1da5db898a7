/**
 * The fold of Events into Messages.
 *
 * @module
 * @import { MessageCompleted, MessageDelta, MessagePosted, MessageStarted } from "ds/core/events.js"
 * @import { Changes, Message, Timeline, TimelinePart } from "ds/core/timeline-types.js"
 */

import { count, take } from "ds/core/code-points.js";

/** The code points of parts that are being written: a delta is counted, not the whole part. @type {WeakMap<TimelinePart, number>} */
const lengths = new WeakMap();

/**
 * @param {Timeline} timeline
 * @param {MessagePosted | MessageStarted | MessageDelta | MessageCompleted} event
 * @param {Changes} changes
 * @returns {boolean} false: the Event's Message is not in this Timeline
 */
export function applyMessageEvent(timeline, event, changes) {
  const id = event.data.message;
  changes.messages.add(id);
  if (event.kind === "message.posted" || event.kind === "message.started") {
    timeline.messages.set(id, newMessage(event));
    return true;
  }
  const message = timeline.messages.get(id);
  if (!message) {
    changes.messages.delete(id);
    return false;
  }
  if (event.kind === "message.delta") write(message, event.data);
  else complete(message, event.data);
  return true;
}

/**
 * @param {MessagePosted | MessageStarted} event
 * @returns {Message}
 */
function newMessage({ seq, at, actor, run, ...event }) {
  const posted = event.kind === "message.posted" ? event.data : null;
  return {
    id: event.data.message,
    role: event.data.role,
    parent: event.data.parent,
    agent: event.kind === "message.started" ? event.data.agent : null,
    actor,
    at,
    run,
    seq,
    parts: posted ? posted.parts.map(({ type, text }) => ({ type, text })) : [],
    state: posted ? posted.state : "open",
  };
}

/**
 * Writes a delta at its offset, so that a merged delta that begins in known text changes nothing there.
 *
 * @param {Message} message
 * @param {MessageDelta["data"]} delta
 */
function write(message, { part: index, part_type: type, offset, text }) {
  while (message.parts.length <= index) message.parts.push({ type, text: "" });
  const part = /** @type {TimelinePart} */ (message.parts[index]);
  const length = lengths.get(part) ?? count(part.text);
  const kept = Math.min(offset, length);
  part.text = (kept === length ? part.text : take(part.text, kept)) + text;
  lengths.set(part, kept + count(text));
}

/**
 * @param {Message} message
 * @param {MessageCompleted["data"]} data
 */
function complete(message, { parts, state, usage, ended }) {
  message.parts = parts.map(({ type, text }) => ({ type, text }));
  message.state = state;
  if (usage) message.usage = usage;
  if (ended) message.ended = ended;
}
