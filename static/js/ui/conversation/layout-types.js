/**
 * The values that a layout is made of.
 *
 * @module
 * @import { Ask, Message, Run, ToolCall } from "ds/core/timeline-types.js"
 * @import { RunStatus } from "ds/ui/conversation/run-status.js"
 */

/** @typedef {Message | ToolCall | Ask} Item */
/**
 * What a Run has done, in order; a Message that it read meanwhile begins another Answer. `run` is null when the Run was requested
 * before the Timeline begins; `runId` is known nevertheless.
 *
 * @typedef {{id: string, runId: string, run: Run | null, items: Item[], status: RunStatus | null}} Answer
 */
/**
 * One Message of a person and the Answers to it. `message` is null when it lies before the Timeline. `note`: what became of it.
 *
 * @typedef {{id: string, seq: number, message: Message | null, note: string, answers: Answer[]}} Exchange
 */
/** @typedef {{messages: Message[], paused: string}} QueueView `paused`: why the Messages wait for a person; empty while they do not */

export {};
