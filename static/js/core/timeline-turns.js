/**
 * Whose turn it is: which Run works or is next, and which ones wait in the queue.
 *
 * @module
 * @import { Run, Timeline } from "ds/core/timeline-types.js"
 */

import { ACTIVE } from "ds/core/run-states.js";

/** What a Run may wait for while others go on. @type {ReadonlySet<string>} */
const GIVES_TURN = new Set(["sleep", "signal"]);

/**
 * Returns the Run that holds the turn of its Session, or else the one that is next.
 *
 * @param {Timeline} timeline
 */
export function runOfTurn(timeline) {
  return [...timeline.runs.values()].find(
    (run) =>
      ACTIVE.has(run.state) &&
      run.parent === null &&
      !GIVES_TURN.has(run.waiting?.on ?? "") &&
      run.seq !== undefined,
  );
}

/**
 * Returns the Run that Stop is about. What waits in the queue is not.
 *
 * @param {Timeline} timeline
 */
export function runToStop(timeline) {
  const isAtWork = (/** @type {Run} */ run) => ACTIVE.has(run.state) && !isQueued(run, timeline);
  return runOfTurn(timeline) ?? [...timeline.runs.values()].find(isAtWork);
}

/**
 * @param {Run} run
 * @param {Timeline} timeline
 */
export function isQueued(run, timeline) {
  return timeline.messages.get(run.repliesTo ?? "")?.state === "queued";
}

/**
 * Returns whether the Run was to answer a Message that was taken back from the queue.
 *
 * @param {Run} run
 * @param {Timeline} timeline
 */
export function isWithdrawn({ state, repliesTo }, { messages }) {
  return state === "cancelled" && repliesTo !== null && !messages.has(repliesTo);
}

/**
 * Returns the ids of Runs whose Message was answered by a later Run, too.
 *
 * @param {Timeline} timeline
 */
export function retriedRuns(timeline) {
  /** @type {Map<string, string>} */
  const newest = new Map();
  for (const run of timeline.runs.values()) if (run.repliesTo) newest.set(run.repliesTo, run.id);
  const retried = [...timeline.runs.values()].filter(
    (run) => run.repliesTo && newest.get(run.repliesTo) !== run.id,
  );
  return new Set(retried.map((run) => run.id));
}
