/**
 * The layout of a conversation: each Message of a person with the Answers to it, and the status of each Answer's Run.
 *
 * chatapp/pages/layout.py lays out the same Timeline on the server. The results must be equal, or the page jumps when the script
 * takes over; tests/fixtures/layout holds both together.
 *
 * @module
 * @import { Message, Run, Timeline } from "ds/core/timeline-types.js"
 * @import { Reader, RunStatus } from "ds/ui/conversation/run-status.js"
 */

import { count } from "ds/core/code-points.js";
import { activeRuns } from "ds/core/timeline-runs.js";
import { runStatus } from "ds/ui/conversation/run-status.js";

const LONG_TEXT = 2_500; // code points; a longer post gets a scroll bar of its own
const LONG_LINES = 30;

/**
 * The Messages of one Run. `run` is null when the Run was requested before the Timeline begins.
 *
 * @typedef {{id: string, run: Run | null, messages: Message[], status: RunStatus | null}} Answer
 */
/**
 * One Message of a person and the Answers to it. `message` is null when it lies before the Timeline.
 *
 * @typedef {{id: string, seq: number, message: Message | null, answers: Answer[]}} Exchange
 */

/**
 * @param {Timeline} timeline
 * @param {Reader} reader
 * @returns {Exchange[]} in the order to show them
 */
export function layOut(timeline, reader) {
  /** @type {Map<string, Exchange>} */
  const exchanges = new Map();
  for (const message of timeline.messages.values()) {
    if (message.role !== "user") continue;
    exchanges.set(message.id, { id: message.id, seq: message.seq, message, answers: [] });
  }
  const first = activeRuns(timeline)[0]?.id;
  const newest = [...exchanges.keys()].at(-1);
  const retried = retriedRuns(timeline);
  for (const answer of answersOf(timeline).values()) {
    const { id, run, messages } = answer;
    const situation = {
      silent: messages.every(isEmpty),
      ended: messages.at(-1)?.ended,
      first: id === first,
      retried: retried.has(id),
      newest: run?.repliesTo === newest,
    };
    answer.status = run && runStatus(run, situation, reader);
    exchangeOf(answer, exchanges).answers.push(answer);
  }
  return [...exchanges.values()].sort((one, other) => one.seq - other.seq);
}

/**
 * Returns whether the Message has no text yet: an agent opens its Message before the model's first word.
 *
 * @param {Message} message
 */
export function isEmpty({ parts }) {
  return parts.every(({ text }) => text === "");
}

/**
 * Returns whether a person's Message gets a scroll bar of its own.
 *
 * @param {string} text
 */
export function isLong(text) {
  if (text.length > LONG_TEXT && count(text) > LONG_TEXT) return true;
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0 && lines <= LONG_LINES; at = text.indexOf("\n", at + 1)) lines++;
  return lines > LONG_LINES;
}

/** @param {Timeline} timeline */
function answersOf(timeline) {
  /** @type {Map<string, Answer>} */
  const found = new Map();
  for (const run of timeline.runs.values())
    found.set(run.id, { id: run.id, run, messages: [], status: null });
  for (const message of timeline.messages.values()) {
    if (message.role !== "assistant") continue;
    const id = message.run ?? message.id;
    const answer = found.get(id) ?? { id, run: null, messages: [], status: null };
    answer.messages.push(message);
    found.set(id, answer);
  }
  return found;
}

/**
 * @param {Answer} answer
 * @param {Map<string, Exchange>} exchanges
 */
function exchangeOf({ id, run, messages }, exchanges) {
  const answered = exchanges.get(run?.repliesTo ?? "");
  if (answered) return answered;
  const alone = { id, seq: messages[0]?.seq ?? 0, message: null, answers: [] };
  exchanges.set(id, alone);
  return alone;
}

/**
 * Returns the ids of Runs whose Message was answered by a later Run, too.
 *
 * @param {Timeline} timeline
 */
function retriedRuns(timeline) {
  /** @type {Map<string, string>} */
  const newest = new Map();
  for (const run of timeline.runs.values()) if (run.repliesTo) newest.set(run.repliesTo, run.id);
  const retried = [...timeline.runs.values()].filter(
    (run) => run.repliesTo && newest.get(run.repliesTo) !== run.id,
  );
  return new Set(retried.map((run) => run.id));
}
