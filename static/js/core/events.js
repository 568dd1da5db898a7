/**
 * The Events of a Session's log as types (docs/reference/wire.md › Events). A client ignores kinds and fields that it does not know.
 *
 * @module
 */

/** @typedef {{kind: "user" | "agent" | "system", id: string, name: string}} Actor the author of an Event; `name` is for people */
/** @typedef {"text" | "reasoning"} PartType */
/** @typedef {{type: PartType, text: string}} Part */
/** @typedef {"truncated" | "filtered" | "refused"} Ended why a complete message is not the whole answer */
/**
 * @typedef {{
 *   input_tokens: number, output_tokens: number, estimated?: boolean, requests?: number, cached?: number, cost_usd?: number,
 * }} Usage
 */
/** @typedef {{roles?: string[], users?: string[]}} Responders who may answer an Ask */

/**
 * An Event of the kinds K with the data D.
 *
 * @template {string} K
 * @template D
 * @typedef {{seq: number, kind: K, at: string, actor: Actor, run: string | null, data: D}} Numbered
 */

/** @typedef {Numbered<"session.created", {title: string, agent: string, policy: string}>} SessionCreated */
/** @typedef {Numbered<"session.renamed", {title: string}>} SessionRenamed */
/** @typedef {Numbered<"session.archived" | "session.restored", {}>} SessionShelved */
/** @typedef {Numbered<"session.configured", {agent: string, policy: string}>} SessionConfigured */
/**
 * @typedef {Numbered<
 *   "participant.joined" | "participant.left" | "participant.role_changed",
 *   {user: string, name: string, role: string}
 * >} ParticipantChanged
 */
/**
 * @typedef {Numbered<"message.posted", {
 *   message: string, parent: string | null, role: "user", parts: Part[], client_id: string | null,
 *   state: "sent" | "queued" | "steering", device: string | null,
 * }>} MessagePosted
 */
/** @typedef {Numbered<"message.queued_edited", {message: string, parts: Part[]}>} MessageQueuedEdited */
/**
 * @typedef {Numbered<"message.dequeued", {
 *   message: string, reason: "sent" | "withdrawn", parent?: string | null, parts?: Part[], agent?: string,
 * }>} MessageDequeued
 */
/**
 * @typedef {Numbered<"message.started", {
 *   message: string, parent: string | null, role: "assistant", agent: string,
 * }>} MessageStarted
 */
/**
 * `offset`: the length of the part before this piece, in Unicode code points.
 *
 * @typedef {Numbered<"message.delta", {
 *   message: string, part: number, part_type: PartType, offset: number, text: string,
 * }>} MessageDelta
 */
/**
 * @typedef {Numbered<"message.completed", {
 *   message: string, parts: Part[], state: "complete" | "cancelled" | "failed" | "interrupted", usage?: Usage,
 *   ended?: Ended,
 * }>} MessageCompleted
 */
/** @typedef {{call: string, message?: string, step?: string}} OfCall */
/** @typedef {Numbered<"tool.called", OfCall & {name: string, input: unknown}>} ToolCalled */
/** @typedef {Numbered<"tool.progressed", OfCall & {label: string, done?: number, total?: number}>} ToolProgressed */
/** @typedef {Numbered<"tool.returned", OfCall & {output: unknown}>} ToolReturned */
/** @typedef {Numbered<"tool.failed", OfCall & {error: string, unknown?: boolean}>} ToolFailed */
/**
 * @typedef {Numbered<"run.requested", {
 *   run: string, agent: string, parent: string | null, replies_to: string | null, retry_of?: string, queued?: boolean,
 * }>} RunRequested
 */
/** @typedef {Numbered<"run.started", {attempt: number}>} RunStarted */
/** @typedef {Numbered<"run.restarted", {attempt: number, voided: string[], voided_calls?: string[]}>} RunRestarted */
/** @typedef {Numbered<"run.progressed", {label: string, done?: number, total?: number}>} RunProgressed */
/**
 * @typedef {Numbered<"run.steered", {message: string, consumed: boolean, queued?: boolean, parent?: string | null}>} RunSteered
 */
/**
 * @typedef {Numbered<"run.waiting" | "run.resumed", {
 *   on: "ask" | "sleep" | "signal" | "children", ask?: string, asks?: string[], until?: string, signal?: string,
 *   signals?: string[], runs?: string[],
 * }>} RunWaiting
 */
/** @typedef {Numbered<"run.cancel_requested", {by: string, device: string | null, runs: string[]}>} RunCancelRequested */
/** @typedef {Numbered<"run.completed", {usage?: Usage, result?: unknown}>} RunCompleted */
/** @typedef {Numbered<"run.cancelled", {usage?: Usage}>} RunCancelled */
/** @typedef {Numbered<"run.failed", {code: string, message: string, retry: boolean, usage?: Usage}>} RunFailed */
/** @typedef {Numbered<"run.interrupted", {reason: string, usage?: Usage}>} RunInterrupted */
/** @typedef {Numbered<"queue.paused", {reason: "failed" | "stopped", run: string}>} QueuePaused */
/** @typedef {Numbered<"queue.resumed", {by?: string}>} QueueResumed */
/**
 * @typedef {Numbered<"ask.opened", {
 *   ask: string, title: string, schema: unknown, kind: "form" | "choice" | "approval", expires_at?: string, by?: Responders,
 *   call?: string, tool?: string, default?: unknown,
 * }>} AskOpened
 */
/**
 * @typedef {Numbered<"ask.answered", {
 *   ask: string, value: unknown, by: string, device: string | null, device_label?: string,
 * }>} AskAnswered
 */
/**
 * @typedef {Numbered<"ask.closed", {
 *   ask: string, reason: "expired" | "declined" | "run_ended", message?: string,
 * }>} AskClosed
 */
/**
 * @typedef {Numbered<"consent.granted" | "consent.revoked", {tool: string, agent: string, by: string}>} ConsentChanged
 */
/** @typedef {Numbered<"signal.received", {name: string, value: unknown, by: string}>} SignalReceived */
/** @typedef {Numbered<"step.completed", {key: string, result?: unknown, size?: number, error?: string}>} StepCompleted */
/** @typedef {Numbered<"state.saved", {agent: string, size: number}>} StateSaved */

/**
 * @typedef {SessionCreated | SessionRenamed | SessionShelved | SessionConfigured | ParticipantChanged
 *   | MessagePosted | MessageQueuedEdited | MessageDequeued | MessageStarted | MessageDelta | MessageCompleted
 *   | ToolCalled | ToolProgressed | ToolReturned | ToolFailed
 *   | RunRequested | RunStarted | RunRestarted | RunProgressed | RunSteered | RunWaiting | RunCancelRequested
 *   | RunCompleted | RunCancelled | RunFailed | RunInterrupted
 *   | QueuePaused | QueueResumed | AskOpened | AskAnswered | AskClosed
 *   | ConsentChanged | SignalReceived | StepCompleted | StateSaved} LogEvent
 */

export {};
