/**
 * The branches of a conversation (docs/topics/branches.md). sessions_core/protocol/branches.py finds the same ones.
 *
 * A person's Message hangs on its `parent`. What a Run says and what people write to it meanwhile are one Answer to the Message that
 * the Run replies to. A retry goes on with the same Answer; a Run that is asked to answer anew gives another one.
 *
 * @module
 * @import { Message, Run, Timeline } from "ds/core/timeline-types.js"
 */

import { ACTIVE } from "ds/core/run-states.js";

/**
 * A Message of a person and the Answer to it that a branch goes through, by the id of its first Run; null: it goes through none.
 * `message` is null when it is not known. `until`: the branch leaves the Answer after that seq.
 *
 * @typedef {{message: string | null, answer: string | null, until: number | null}} Exchange
 */

/** The branches of a Timeline, as it is now. */
export class Branches {
  /** By Answer. @type {Map<string, Message[]>} */
  #said = new Map();
  /** By Answer. @type {Map<string, string | null>} */
  #repliesTo = new Map();
  /** The first Answer to each Message. @type {Map<string, string>} */
  #first = new Map();

  /** @param {Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    for (const run of timeline.runs.values()) {
      if (run.parent === null) this.#note(run.retryOf ?? run.id, run.repliesTo);
    }
    for (const message of timeline.messages.values()) {
      const answer = this.answerWith(message);
      if (answer === null || this.#runOf(message)?.parent) continue; // a Run says it that another Run has started
      const said = this.#said.get(answer);
      if (said) said.push(message);
      else this.#said.set(answer, [message]);
      if (message.role === "assistant") this.#note(answer, message.parent);
    }
  }

  /**
   * Returns the active branch, oldest first. It ends with what was sent last, or was begun to be answered anew since. An Answer that
   * has ended without a word counts for nothing.
   */
  active() {
    const placed = [...this.timeline.messages.values()].findLast(isPlaced);
    const begun = [...this.timeline.runs.values()].filter((run) => this.#isBegun(run));
    const newest = begun.sort((one, other) => seqOf(other) - seqOf(one))[0];
    if (newest && (!placed || seqOf(newest) > placed.seq)) return this.#path(newest.repliesTo, newest.id);
    if (placed) return this.#path(placed.id, this.#first.get(placed.id) ?? null);
    const answer = [...this.#said.keys()].at(-1);
    return answer === undefined ? [] : this.#path(this.repliesTo(answer), answer);
  }

  /** Returns the Answer that the Message is part of; null for one that a person sent, or is to be sent. @param {Message} message */
  answerWith(message) {
    const run = this.#runOf(message);
    return run ? this.answerOf(run) : runIdOf(message);
  }

  /** Returns the Answer that the Run, or the one that has started it, works on. @type {(run: Run) => string} */
  answerOf(run) {
    const starter = this.timeline.runs.get(run.parent ?? "");
    return starter ? this.answerOf(starter) : (run.retryOf ?? run.id);
  }

  /** Returns the Message that the Answer is to, if it is known. @param {string} answer */
  repliesTo(answer) {
    return this.#repliesTo.get(answer) ?? null;
  }

  /** Returns whether nothing has been said in the Answer. @param {string} answer */
  isSilent(answer) {
    return !this.#said.has(answer);
  }

  /**
   * @param {string} answer
   * @param {string | null} repliesTo
   */
  #note(answer, repliesTo) {
    if (!this.#repliesTo.has(answer)) this.#repliesTo.set(answer, repliesTo);
    if (repliesTo !== null && !this.#first.has(repliesTo)) this.#first.set(repliesTo, answer);
  }

  /** @param {Message} message */
  #runOf(message) {
    return this.timeline.runs.get(runIdOf(message) ?? "");
  }

  /** @param {Run} run */
  #isBegun(run) {
    const isFirst = run.parent === null && run.retryOf === undefined && run.repliesTo !== null;
    return isFirst && run.seq !== undefined && (ACTIVE.has(run.state) || !this.isSilent(run.id));
  }

  /**
   * @param {string | null} message
   * @param {string | null} answer
   */
  #path(message, answer) {
    /** @type {Exchange[]} */
    const path = [];
    /** @type {Exchange | null} */
    let exchange = { message, answer, until: null };
    for (; exchange; exchange = this.#before(exchange.message ?? "")) path.push(exchange);
    return path.reverse();
  }

  /**
   * Returns what the Message follows: the whole Answer when it was sent to its end, also what is said there later.
   *
   * @param {string} id
   * @returns {Exchange | null}
   */
  #before(id) {
    const { messages } = this.timeline;
    const message = messages.get(id);
    const parent = messages.get(message?.parent ?? "");
    if (!message || !parent) return null;
    const answer = this.answerWith(parent);
    const said = this.#said.get(answer ?? this.#first.get(parent.id) ?? "") ?? [];
    const last = said.findLast(({ seq }) => seq < message.seq);
    const to = answer === null ? parent.id : this.repliesTo(answer);
    // A path has to end, also in a log that is none.
    if ((messages.get(to ?? "")?.seq ?? 0) >= message.seq) return null;
    if (answer === null)
      return { message: to, answer: last ? null : (this.#first.get(parent.id) ?? null), until: null };
    return { message: to, answer, until: last === parent ? null : parent.seq };
  }
}

/** Returns the Run that says the Message, or has read it while it worked. @param {Message} message */
function runIdOf({ id, role, run, steered }) {
  return steered ?? (role === "user" ? null : (run ?? id));
}

/** @param {Message} message */
function isPlaced({ role, state, steered }) {
  return role === "user" && state === "sent" && steered === undefined;
}

/** @param {Run} run */
function seqOf(run) {
  return run.seq ?? 0;
}
