/**
 * The fold of Events into Runs.
 *
 * @module
 * @import {
 *   MessageDequeued, RunCancelled, RunCancelRequested, RunCompleted, RunFailed, RunInterrupted, RunProgressed, RunRequested,
 *   RunRestarted, RunStarted, RunWaiting,
 * } from "ds/core/events.js"
 * @import { Changes, Run, Timeline } from "ds/core/timeline-types.js"
 */

import { callKey } from "ds/core/timeline-work.js";

/** @typedef {RunCompleted | RunCancelled | RunFailed | RunInterrupted} EndEvent */
/** @typedef {RunStarted | RunRestarted | RunProgressed | RunWaiting | EndEvent} OwnEvent */

/**
 * @param {Timeline} timeline
 * @param {RunRequested | RunCancelRequested | OwnEvent} event
 * @param {Changes} changes
 * @returns {boolean} false: a Run of the Event is not in this Timeline
 */
export function applyRunEvent(timeline, event, changes) {
  if (event.kind === "run.requested") {
    const { run: id, agent, parent, replies_to: repliesTo, retry_of: retryOf, queued } = event.data;
    const more = { ...(!queued && { seq: event.seq }), ...(retryOf && { retryOf }) };
    timeline.runs.set(id, { id, agent, parent, repliesTo, state: "requested", attempt: 0, ...more });
    changes.runs.add(id);
    return true;
  }
  if (event.kind === "run.cancel_requested") return requestCancel(timeline, event, changes);
  const run = timeline.runs.get(event.run ?? "");
  if (event.kind === "run.restarted") removeVoided(timeline, event, changes);
  if (!run) return false;
  advance(run, event);
  changes.runs.add(run.id);
  return true;
}

/**
 * Adds the Run of a Message that was queued before the Timeline begins.
 *
 * @param {Timeline} timeline
 * @param {MessageDequeued} event
 * @param {Changes} changes
 */
export function beginRun(timeline, { run: id, data: { message, agent } }, changes) {
  if (!id) return;
  changes.runs.add(id);
  if (agent === undefined || timeline.runs.has(id)) return;
  timeline.runs.set(id, { id, agent, parent: null, repliesTo: message, state: "requested", attempt: 0 });
}

/**
 * @param {Run} run
 * @param {OwnEvent} event
 */
function advance(run, event) {
  switch (event.kind) {
    case "run.started":
      run.state = "running";
      run.attempt = event.data.attempt;
      run.seq = event.seq;
      break;
    case "run.restarted":
      run.state = "running";
      run.attempt = event.data.attempt;
      delete run.progress;
      delete run.waiting;
      break;
    case "run.progressed":
      run.progress = event.data;
      break;
    case "run.waiting":
      run.state = "waiting";
      run.waiting = event.data;
      break;
    case "run.resumed":
      run.state = "running";
      delete run.waiting;
      break;
    default:
      end(run, event);
  }
}

/**
 * @param {Run} run
 * @param {EndEvent} event
 */
function end(run, event) {
  delete run.waiting;
  if (event.data.usage) run.usage = event.data.usage;
  switch (event.kind) {
    case "run.completed":
      run.state = "completed";
      break;
    case "run.cancelled":
      run.state = "cancelled";
      break;
    case "run.failed": {
      const { code, message, retry } = event.data;
      run.state = "failed";
      run.error = { code, message, retry };
      break;
    }
    case "run.interrupted":
      run.state = "interrupted";
      run.reason = event.data.reason;
  }
}

/**
 * @param {Timeline} timeline
 * @param {RunCancelRequested} event
 * @param {Changes} changes
 */
function requestCancel(timeline, { actor, data }, changes) {
  for (const id of data.runs) {
    const run = timeline.runs.get(id);
    if (!run) continue;
    run.cancelRequestedBy = { id: data.by, name: actor.name };
    changes.runs.add(id);
  }
  return data.runs.every((id) => timeline.runs.has(id));
}

/**
 * @param {Timeline} timeline
 * @param {RunRestarted} event
 * @param {Changes} changes
 */
function removeVoided(timeline, { run, data }, changes) {
  for (const id of data.voided) {
    if (timeline.messages.delete(id)) changes.removed.add(id);
  }
  for (const call of data.voided_calls ?? []) timeline.calls.delete(callKey(run ?? "", call));
}
