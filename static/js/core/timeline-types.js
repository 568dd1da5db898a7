/**
 * The values that a Timeline is made of.
 *
 * @module
 * @import { Actor, Ended, LogEvent, PartType, Responders, RunWaiting, Usage } from "ds/core/events.js"
 * @import { RunState } from "ds/core/run-states.js"
 */

/** @typedef {{type: PartType, text: string}} TimelinePart */
/** @typedef {{id: string, name: string}} Person a user who did something */
/** @typedef {{label: string, done?: number, total?: number}} Progress */
/**
 * `seq`: of the Event that put the Message into the conversation: a queued one stands where it was sent, a steering one where its
 * Run has read it. State `open`: being written. `agent` and `run` are null for a person's Message. `steered`: the Run that has read it.
 *
 * @typedef {{
 *   id: string, role: "user" | "assistant", parent: string | null, agent: string | null, actor: Actor, at: string,
 *   run: string | null, seq: number, parts: TimelinePart[],
 *   state: "sent" | "queued" | "steering" | "open" | "complete" | "cancelled" | "failed" | "interrupted",
 *   usage?: Usage, ended?: Ended, steered?: string,
 * }} Message
 */
/**
 * `repliesTo`: the id of the Message it answers; `parent`: the id of the Run that started it; `retryOf`: that of the first Run of
 * the answer that it tries again; `waiting`: what it waits for. `seq`: of `run.started`, and before it of the request; absent while
 * it waits in the queue.
 *
 * @typedef {{
 *   id: string, agent: string, parent: string | null, repliesTo: string | null, attempt: number, state: RunState,
 *   seq?: number, retryOf?: string,
 *   progress?: Progress, waiting?: RunWaiting["data"], cancelRequestedBy?: Person,
 *   error?: {code: string, message: string, retry: boolean},
 *   reason?: string, usage?: Usage,
 * }} Run
 */
/**
 * A call of a tool. `id` is the call's in its Run. `unknown`: nobody knows whether the tool has done its work.
 *
 * @typedef {{
 *   id: string, run: string, name: string, input: unknown, seq: number, state: "called" | "returned" | "failed",
 *   message?: string, step?: string, progress?: Progress, output?: unknown, error?: string, unknown?: boolean,
 * }} ToolCall
 */
/**
 * A question of a Run to people. `by`: who may answer; absent: owner and editors. `tool`: what a consent may be given for with the
 * answer. `reason`: why it was closed without an answer; `message`: what a person wrote instead.
 *
 * @typedef {{
 *   id: string, run: string, seq: number, at: string, kind: "form" | "choice" | "approval", title: string, schema: unknown,
 *   state: "open" | "answered" | "closed", expiresAt?: string, by?: Responders, call?: string, tool?: string, default?: unknown,
 *   value?: unknown, answeredBy?: Person, device?: string, deviceLabel?: string,
 *   reason?: "expired" | "declined" | "run_ended", closedBy?: Person, message?: string,
 * }} Ask
 */
/** @typedef {{paused: boolean, reason?: "failed" | "stopped", run?: string}} Queue whether it waits for a person */
/** @typedef {{tool: string, agent: string, by: Person}} Consent the agent may use the tool unasked */
/**
 * Everything is in the order of the log; `calls` by `run/call`, `consents` by `agent/tool`. `queue` is null while nothing was said
 * about it. `loose` has the Events of what began before this Timeline; `prepend` applies them.
 *
 * @typedef {{
 *   messages: Map<string, Message>, runs: Map<string, Run>, calls: Map<string, ToolCall>, asks: Map<string, Ask>,
 *   consents: Map<string, Consent>, queue: Queue | null, title: string | null, cursor: number, epoch: number, loose: LogEvent[],
 * }} Timeline
 */
/**
 * What a fold touched: ids of Messages that are new or changed, of Runs that are or whose calls and asks are, and of Messages that
 * disappeared; whether `queue` or `title` changed.
 *
 * @typedef {{messages: Set<string>, runs: Set<string>, removed: Set<string>, queue: boolean, title: boolean}} Changes
 */

export {};
