/**
 * The fold of Events into Runs.
 *
 * @module
 * @import {
 *   RunCancelled, RunCancelRequested, RunCompleted, RunFailed, RunInterrupted, RunProgressed, RunRequested, RunRestarted, RunStarted,
 * } from "ds/core/events.js"
 * @import { Changes, Run, Timeline } from "ds/core/timeline-types.js"
 */

import { ACTIVE } from "ds/core/run-states.js";

/** @typedef {RunStarted | RunRestarted | RunProgressed | RunCompleted | RunCancelled | RunFailed | RunInterrupted} OwnEvent */

/**
 * @param {Timeline} timeline
 * @param {RunRequested | RunCancelRequested | OwnEvent} event
 * @param {Changes} changes
 * @returns {boolean} false: a Run of the Event is not in this Timeline
 */
export function applyRunEvent(timeline, event, changes) {
  if (event.kind === "run.requested") {
    const { run: id, agent, parent, replies_to: repliesTo } = event.data;
    timeline.runs.set(id, { id, agent, parent, repliesTo, state: "requested", attempt: 0 });
    changes.runs.add(id);
    return true;
  }
  if (event.kind === "run.cancel_requested") return requestCancel(timeline, event, changes);
  const run = timeline.runs.get(event.run ?? "");
  if (event.kind === "run.restarted") removeMessages(timeline, event.data.voided, changes);
  if (!run) return false;
  advance(run, event);
  changes.runs.add(run.id);
  return true;
}

/**
 * Returns the Runs that have not ended, in the order of their requests.
 *
 * @param {Timeline} timeline
 */
export function activeRuns(timeline) {
  return [...timeline.runs.values()].filter((run) => ACTIVE.has(run.state));
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
      break;
    case "run.restarted":
      run.state = "running";
      run.attempt = event.data.attempt;
      delete run.progress;
      break;
    case "run.progressed":
      run.progress = event.data;
      break;
    case "run.completed":
      run.state = "completed";
      break;
    case "run.cancelled":
      run.state = "cancelled";
      break;
    case "run.failed":
      run.state = "failed";
      run.error = event.data;
      break;
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
 * @param {string[]} messages
 * @param {Changes} changes
 */
function removeMessages(timeline, messages, changes) {
  for (const id of messages) {
    if (timeline.messages.delete(id)) changes.removed.add(id);
  }
}
