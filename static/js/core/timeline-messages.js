/**
 * The fold of Events into Messages.
 *
 * @module
 * @import {
 *   MessageCompleted, MessageDelta, MessageDequeued, MessagePosted, MessageQueuedEdited, MessageStarted, Part, RunSteered,
 * } from "ds/core/events.js"
 * @import { Changes, Message, Timeline, TimelinePart } from "ds/core/timeline-types.js"
 */

import { count, take } from "ds/core/code-points.js";

/** The code points of parts that are being written: a delta is counted, not the whole part. @type {WeakMap<TimelinePart, number>} */
const lengths = new WeakMap();

/** @typedef {MessagePosted | MessageStarted | MessageQueuedEdited | MessageDequeued | MessageDelta | MessageCompleted} MessageEvent */

/**
 * @param {Timeline} timeline
 * @param {MessageEvent} event
 * @param {Changes} changes
 * @returns {boolean} false: the Event's Message is not in this Timeline
 */
export function applyMessageEvent(timeline, event, changes) {
  const id = event.data.message;
  if (event.kind === "message.posted" || event.kind === "message.started") {
    timeline.messages.set(id, newMessage(event));
    changes.messages.add(id);
    return true;
  }
  if (event.kind === "message.dequeued") return dequeue(timeline, event, changes);
  const message = timeline.messages.get(id);
  if (!message) return false;
  if (event.kind === "message.delta") write(message, event.data);
  else if (event.kind === "message.completed") complete(message, event.data);
  else message.parts = copyParts(event.data.parts);
  changes.messages.add(id);
  return true;
}

/**
 * Puts a steering Message to the place where the Run has read it, or from which on it is one like others.
 *
 * @param {Timeline} timeline
 * @param {RunSteered} event
 * @param {Changes} changes
 * @returns {boolean} false: the Message is not in this Timeline
 */
export function steer(timeline, { seq, at, run, data }, changes) {
  const message = timeline.messages.get(data.message);
  if (!message) return false;
  message.seq = seq;
  message.at = at;
  message.state = data.queued && !data.consumed ? "queued" : "sent";
  if (data.consumed) message.steered = run ?? "";
  if (data.parent !== undefined) message.parent = data.parent;
  timeline.messages.delete(message.id);
  timeline.messages.set(message.id, message);
  changes.messages.add(message.id);
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
    parts: posted ? copyParts(posted.parts) : [],
    state: posted ? posted.state : "open",
  };
}

/**
 * Moves a queued Message to the place where it was sent, or removes a withdrawn one.
 *
 * @param {Timeline} timeline
 * @param {MessageDequeued} event
 * @param {Changes} changes
 */
function dequeue(timeline, { seq, at, actor, data }, changes) {
  const { message: id, reason, parent = null, parts } = data;
  const isKnown = timeline.messages.delete(id);
  if (reason === "withdrawn" || !parts) {
    if (isKnown) changes.removed.add(id);
    return isKnown;
  }
  /** @type {Message} */
  const sent = {
    id,
    role: "user",
    parent,
    agent: null,
    actor,
    at,
    run: null,
    seq,
    parts: copyParts(parts),
    state: "sent",
  };
  timeline.messages.set(id, sent);
  changes.messages.add(id);
  return true;
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
  message.parts = copyParts(parts);
  message.state = state;
  if (usage) message.usage = usage;
  if (ended) message.ended = ended;
}

/**
 * @param {Part[]} parts
 * @returns {TimelinePart[]}
 */
function copyParts(parts) {
  return parts.map(({ type, text }) => ({ type, text }));
}
