/**
 * The layout of a conversation: each Message of a person with the Answers to it, the status of each Answer's Run, and the queue.
 *
 * chatapp/pages/layout.py lays out the same Timeline on the server. The results must be equal, or the page jumps when the script
 * takes over; tests/fixtures/layout holds both together.
 *
 * @module
 * @import { Message, Run, Timeline } from "ds/core/timeline-types.js"
 * @import { Reader } from "ds/ui/asks/wording.js"
 * @import { Answer, Exchange, Item, QueueView } from "ds/ui/conversation/layout-types.js"
 */

import { activeBranch } from "ds/core/active-branch.js";
import { isQueued, isWithdrawn, retriedRuns, runOfTurn } from "ds/core/timeline-turns.js";
import { divide, isAsk, isMessage, itemsByRun } from "ds/ui/conversation/items.js";
import { isEmpty } from "ds/ui/conversation/message-texts.js";
import { runStatus } from "ds/ui/conversation/run-status.js";
import { sentence } from "ds/ui/lib/strings.js";

/**
 * @param {Timeline} whole of which the active branch is shown
 * @param {Reader} reader
 * @returns {Exchange[]} in the order to show them
 */
export function layOut(whole, reader) {
  const timeline = activeBranch(whole);
  /** @type {Map<string, Exchange>} */
  const exchanges = new Map();
  for (const message of timeline.messages.values()) {
    if (message.role !== "user" || message.state === "queued") continue;
    exchanges.set(message.id, exchange(message));
  }
  const steers = steersByRun(exchanges);
  const newest = [...exchanges.keys()].at(-1);
  const first = runOfTurn(timeline)?.id;
  const retried = retriedRuns(timeline);
  for (const [runId, items] of itemsByRun(timeline)) {
    const run = timeline.runs.get(runId) ?? null;
    if (run && isHidden(run, items, timeline)) continue;
    const answers = divide({ runId, run }, items, steers.get(runId) ?? []);
    const places = answers.map((answer) => exchanges.get(answer.id) ?? exchangeOf(answer, exchanges));
    answers.forEach((answer, index) => {
      places[index]?.answers.push(answer);
    });
    const last = answers.at(-1);
    if (!run || !last) continue;
    const messages = items.filter(isMessage);
    const situation = {
      silent: messages.every(isEmpty),
      ended: messages.at(-1)?.ended,
      first: runId === first,
      retried: retried.has(runId),
      newest: places.at(-1)?.id === newest,
      asks: items.filter(isAsk).filter(({ state }) => state === "open"),
    };
    last.status = runStatus(run, situation, reader);
  }
  return [...exchanges.values()].sort((one, other) => placeOf(one) - placeOf(other));
}

/**
 * Returns the queue, in the order in which its Messages are sent.
 *
 * @param {Timeline} timeline
 * @returns {QueueView}
 */
export function queueOf({ messages, queue }) {
  const queued = [...messages.values()].filter(({ state }) => state === "queued");
  return { messages: queued, paused: queue?.paused ? sentence(`paused_${queue.reason}`) : "" };
}

/**
 * @param {Message} message
 * @returns {Exchange}
 */
function exchange(message) {
  return { id: message.id, seq: message.seq, message, note: noteOf(message), answers: [] };
}

/** Returns the order of an Exchange: a Message that was not read yet comes last. @param {Exchange} exchange */
function placeOf({ seq, message }) {
  return message?.state === "steering" ? Number.MAX_SAFE_INTEGER : seq;
}

/** @param {Message} message */
function noteOf({ state, steered }) {
  if (state === "steering") return sentence("steering");
  return steered === undefined ? "" : sentence("steered");
}

/** @param {Map<string, Exchange>} exchanges */
function steersByRun(exchanges) {
  /** @type {Map<string, Exchange[]>} */
  const found = new Map();
  for (const each of exchanges.values()) {
    const run = each.message?.steered;
    if (run !== undefined) found.set(run, [...(found.get(run) ?? []), each]);
  }
  return found;
}

/**
 * @param {Answer} answer
 * @param {Map<string, Exchange>} exchanges
 */
function exchangeOf({ id, run, items }, exchanges) {
  const answered = exchanges.get((run ? run.repliesTo : items.find(isMessage)?.parent) ?? "");
  if (answered) return answered;
  /** @type {Exchange} */
  const alone = { id, seq: items[0]?.seq ?? 0, message: null, note: "", answers: [] };
  exchanges.set(id, alone);
  return alone;
}

/**
 * Returns whether there is nothing to show of the Run: its Message waits in the queue, or was taken back.
 *
 * @param {Run} run
 * @param {Item[]} items
 * @param {Timeline} timeline
 */
function isHidden(run, items, timeline) {
  return isQueued(run, timeline) || (isWithdrawn(run, timeline) && items.length === 0);
}
