/**
 * A Timeline as the page lays it out: each thing said, with the answers to it below it. chatapp/pages/layout.py does the same on the
 * server; what the two make must be the same, so that nothing jumps when the script takes over.
 *
 * @module
 * @import { Message, Run, Timeline } from "ds/core/timeline-types.js"
 * @import { Note, Reader } from "ds/ui/conversation/run-status.js"
 */

import { noteOf } from "ds/ui/conversation/run-status.js";

/** @typedef {{id: string, run: Run | null, messages: Message[], note: Note | null}} Answer what one Run said */
/** @typedef {{id: string, seq: number, asked: Message | null, answers: Answer[]}} Turn */

const ACTIVE = new Set(["requested", "running", "waiting"]);

/**
 * The Runs that are at work or about to, in the order in which they go.
 *
 * @param {Timeline} timeline
 */
export function activeRuns(timeline) {
  return [...timeline.runs.values()].filter((run) => ACTIVE.has(run.state));
}

/**
 * @param {Timeline} timeline
 * @param {Reader} reader
 * @returns {Turn[]} in the order to show them
 */
export function layOut(timeline, reader) {
  /** @type {Map<string, Turn>} */
  const turns = new Map();
  for (const message of timeline.messages.values()) {
    if (message.role !== "user") continue;
    turns.set(message.id, { id: message.id, seq: message.seq, asked: message, answers: [] });
  }
  const first = activeRuns(timeline)[0]?.id;
  const retried = retriedRuns(timeline);
  for (const answer of answersOf(timeline).values()) {
    const { run } = answer;
    if (run) {
      const about = {
        silent: answer.messages.every(isEmpty),
        first: run.id === first,
        retried: retried.has(run.id),
      };
      answer.note = noteOf(run, about, reader);
    }
    turnOf(answer, turns).answers.push(answer);
  }
  return [...turns.values()].sort((one, other) => one.seq - other.seq);
}

/**
 * Was nothing said in it yet? An agent opens its message before the model says the first word.
 *
 * @param {Message} message
 */
export function isEmpty({ parts }) {
  return parts.every(({ text }) => text === "");
}

/** @param {Timeline} timeline */
function answersOf(timeline) {
  /** @type {Map<string, Answer>} */
  const found = new Map();
  for (const run of timeline.runs.values()) found.set(run.id, { id: run.id, run, messages: [], note: null });
  for (const message of timeline.messages.values()) {
    if (message.role !== "assistant") continue;
    const id = message.run ?? message.id;
    const answer = found.get(id) ?? { id, run: null, messages: [], note: null };
    answer.messages.push(message);
    found.set(id, answer);
  }
  return found;
}

/**
 * @param {Answer} answer
 * @param {Map<string, Turn>} turns
 */
function turnOf(answer, turns) {
  const asked = turns.get(answer.run?.repliesTo ?? "");
  if (asked) return asked;
  const alone = turns.get(answer.id) ?? {
    id: answer.id,
    seq: answer.messages[0]?.seq ?? 0,
    asked: null,
    answers: [],
  };
  turns.set(alone.id, alone);
  return alone;
}

/**
 * The Runs after which the same was asked once more.
 *
 * @param {Timeline} timeline
 */
function retriedRuns(timeline) {
  /** @type {Map<string, string>} */
  const newest = new Map();
  for (const run of timeline.runs.values()) if (run.repliesTo) newest.set(run.repliesTo, run.id);
  const all = [...timeline.runs.values()].filter(
    (run) => run.repliesTo && newest.get(run.repliesTo) !== run.id,
  );
  return new Set(all.map((run) => run.id));
}
