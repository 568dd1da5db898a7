/**
 * The fold of Events into tool calls, asks and consents.
 *
 * @module
 * @import {
 *   AskAnswered, AskClosed, AskOpened, ConsentChanged, ToolCalled, ToolFailed, ToolProgressed, ToolReturned,
 * } from "ds/core/events.js"
 * @import { Ask, Changes, Timeline, ToolCall } from "ds/core/timeline-types.js"
 */

/**
 * @param {Timeline} timeline
 * @param {ToolCalled | ToolProgressed | ToolReturned | ToolFailed} event
 * @param {Changes} changes
 * @returns {boolean} false: the call is not in this Timeline
 */
export function applyToolEvent(timeline, event, changes) {
  const run = event.run ?? "";
  const key = callKey(run, event.data.call);
  if (event.kind === "tool.called") timeline.calls.set(key, newCall(event));
  else {
    const call = timeline.calls.get(key);
    if (!call) return false;
    advance(call, event);
  }
  changes.runs.add(run);
  return true;
}

/**
 * Returns the key of a call in `calls`. Providers give calls ids that are unique in one answer only.
 *
 * @param {string} run
 * @param {string} call
 */
export function callKey(run, call) {
  return `${run}/${call}`;
}

/**
 * @param {Timeline} timeline
 * @param {AskOpened | AskAnswered | AskClosed} event
 * @param {Changes} changes
 * @returns {boolean} false: the ask is not in this Timeline
 */
export function applyAskEvent(timeline, event, changes) {
  if (event.kind === "ask.opened") timeline.asks.set(event.data.ask, newAsk(event));
  const ask = timeline.asks.get(event.data.ask);
  if (!ask) return false;
  if (event.kind === "ask.answered") answer(ask, event);
  if (event.kind === "ask.closed") close(ask, event);
  changes.runs.add(ask.run);
  return true;
}

/**
 * @param {Timeline} timeline
 * @param {ConsentChanged} event
 * @returns {boolean} false: an earlier page may have a consent that the Event revokes
 */
export function applyConsent(timeline, { kind, actor, data: { tool, agent, by } }) {
  const key = `${agent}/${tool}`;
  if (kind === "consent.granted")
    timeline.consents.set(key, { tool, agent, by: { id: by, name: actor.name } });
  else timeline.consents.delete(key);
  return kind === "consent.granted";
}

/** @type {(event: ToolCalled) => ToolCall} */
function newCall({ seq, run, data: { call, name, input, message, step } }) {
  return {
    id: call,
    run: run ?? "",
    name,
    input,
    seq,
    state: "called",
    ...(message && { message }),
    ...(step && { step }),
  };
}

/**
 * @param {ToolCall} call
 * @param {ToolProgressed | ToolReturned | ToolFailed} event
 */
function advance(call, event) {
  switch (event.kind) {
    case "tool.progressed": {
      const { label, done, total } = event.data;
      call.progress = { label, ...(done !== undefined && { done }), ...(total !== undefined && { total }) };
      break;
    }
    case "tool.returned":
      call.state = "returned";
      call.output = event.data.output;
      break;
    case "tool.failed":
      call.state = "failed";
      call.error = event.data.error;
      if (event.data.unknown) call.unknown = true;
  }
}

/** @type {(event: AskOpened) => Ask} */
function newAsk({ seq, at, run, data }) {
  const { ask: id, kind, title, schema, expires_at: expiresAt, by, call, tool } = data;
  return {
    id,
    run: run ?? "",
    seq,
    at,
    kind,
    title,
    schema,
    state: "open",
    ...(expiresAt && { expiresAt }),
    ...(by && { by }),
    ...(call && { call }),
    ...(tool && { tool }),
    ...("default" in data && { default: data.default }),
  };
}

/**
 * @param {Ask} ask
 * @param {AskAnswered} event
 */
function answer(ask, { actor, data: { value, by, device, device_label: label } }) {
  ask.state = "answered";
  ask.value = value;
  ask.answeredBy = { id: by, name: actor.name };
  if (device) ask.device = device;
  if (label) ask.deviceLabel = label;
}

/**
 * @param {Ask} ask
 * @param {AskClosed} event
 */
function close(ask, { actor, data: { reason, message } }) {
  ask.state = "closed";
  ask.reason = reason;
  if (message) ask.message = message;
  if (actor.kind === "user") ask.closedBy = { id: actor.id, name: actor.name };
}
