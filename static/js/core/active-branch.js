/**
 * What a screen shows of a Timeline (sessions_core/protocol/branches.py › active_branch).
 *
 * @module
 * @import { Ask, Message, Run, Timeline, ToolCall } from "ds/core/timeline-types.js"
 */

import { Branches } from "ds/core/branches.js";

/**
 * Returns the Timeline with what stands on the active branch, and with what stands on none: Messages that are not sent yet, Runs that
 * reply to no Message. A Run that has said nothing is shown with the Message that it replies to, and an open question wherever it is.
 * Where the branch begins before the Timeline, Answers to Messages from before it are shown, too.
 *
 * @param {Timeline} timeline
 * @returns {Timeline}
 */
export function activeBranch(timeline) {
  const { messages, runs, calls, asks } = timeline;
  const branches = new Branches(timeline);
  const path = branches.active();
  const sent = new Set(path.map(({ message }) => message));
  const answers = new Map(path.map((exchange) => [exchange.answer, exchange]));
  const asking = new Set([...asks.values()].filter(isOpen).map(({ run }) => run));
  const isWhole = messages.get(path[0]?.message ?? "")?.parent === null;

  /** @type {(answer: string, repliesTo: string | null) => boolean} */
  const mayBeShown = (answer, repliesTo) => {
    if (repliesTo === null) return true;
    if (messages.has(repliesTo) || sent.has(repliesTo))
      return branches.isSilent(answer) && sent.has(repliesTo);
    return branches.isSilent(answer) || !isWhole;
  };
  /** @type {(answer: string, seq: number) => boolean} */
  const isPartShown = (answer, seq) => {
    const exchange = answers.get(answer);
    if (!exchange) return mayBeShown(answer, branches.repliesTo(answer));
    return exchange.until === null || seq <= exchange.until;
  };
  const isMessageShown = (/** @type {Message} */ message) => {
    const answer = branches.answerWith(message);
    if (answer === null) return message.state !== "sent" || sent.has(message.id);
    return isPartShown(answer, message.seq);
  };
  const isRunShown = (/** @type {Run} */ run) => {
    if (asking.has(run.id) || messages.get(run.repliesTo ?? "")?.state === "queued") return true;
    const answer = branches.answerOf(run);
    return answers.has(answer) || mayBeShown(answer, run.repliesTo);
  };
  const isWorkShown = (/** @type {ToolCall | Ask} */ work) => {
    const run = runs.get(work.run);
    return isOpen(work) || isPartShown(run ? branches.answerOf(run) : work.run, work.seq);
  };
  return {
    ...timeline,
    messages: filtered(messages, isMessageShown),
    runs: filtered(runs, isRunShown),
    calls: filtered(calls, isWorkShown),
    asks: filtered(asks, isWorkShown),
  };
}

/** @param {ToolCall | Ask} work */
function isOpen(work) {
  return "schema" in work && work.state === "open";
}

/**
 * @template T
 * @param {Map<string, T>} map
 * @param {(value: T) => boolean} isShown
 */
function filtered(map, isShown) {
  return new Map([...map].filter(([, value]) => isShown(value)));
}
