/**
 * The values that a Timeline is made of.
 *
 * @module
 * @import { Actor, Ended, LogEvent, PartType, Usage } from "ds/core/events.js"
 * @import { RunState } from "ds/core/run-states.js"
 */

/** @typedef {{type: PartType, text: string}} TimelinePart */
/**
 * State `open`: being written. `seq`: of the Event that began the Message. `agent` and `run` are null for a person's Message.
 *
 * @typedef {{
 *   id: string, role: "user" | "assistant", parent: string | null, agent: string | null, actor: Actor, at: string,
 *   run: string | null, seq: number, parts: TimelinePart[],
 *   state: "sent" | "queued" | "steering" | "open" | "complete" | "cancelled" | "failed" | "interrupted",
 *   usage?: Usage, ended?: Ended,
 * }} Message
 */
/**
 * `repliesTo`: the id of the Message it answers; `parent`: the id of the Run that started it.
 *
 * @typedef {{
 *   id: string, agent: string, parent: string | null, repliesTo: string | null, attempt: number, state: RunState,
 *   progress?: {label: string, done?: number, total?: number},
 *   cancelRequestedBy?: {id: string, name: string},
 *   error?: {code: string, message: string, retry: boolean},
 *   reason?: string,
 * }} Run
 */
/**
 * `messages` and `runs` are in the order of the log. `loose` has the Events of Messages and Runs that began before this Timeline;
 * `prepend` applies them.
 *
 * @typedef {{
 *   messages: Map<string, Message>, runs: Map<string, Run>, title: string | null, cursor: number, epoch: number,
 *   loose: LogEvent[],
 * }} Timeline
 */
/**
 * The ids that a fold touched: Messages and Runs that are new or changed, and Messages that disappeared.
 *
 * @typedef {{messages: Set<string>, runs: Set<string>, removed: Set<string>, title: boolean}} Changes
 */

export {};
