/**
 * The Events of a Session's log as types (docs/reference/wire.md › Events). A client ignores kinds and fields that it does not know.
 *
 * @module
 */

/** @typedef {{kind: "user" | "agent" | "system", id: string, name: string}} Actor the author of an Event; `name` is for people */
/** @typedef {"text" | "reasoning"} PartType */
/** @typedef {{type: PartType, text: string}} Part */
/** @typedef {"truncated" | "filtered" | "refused"} Ended why a complete message is not the whole answer */
/** @typedef {{input_tokens: number, output_tokens: number, estimated?: boolean}} Usage */

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
/**
 * @typedef {Numbered<"run.requested", {
 *   run: string, agent: string, parent: string | null, replies_to: string | null,
 * }>} RunRequested
 */
/** @typedef {Numbered<"run.started", {attempt: number}>} RunStarted */
/** @typedef {Numbered<"run.restarted", {attempt: number, voided: string[]}>} RunRestarted */
/** @typedef {Numbered<"run.progressed", {label: string, done?: number, total?: number}>} RunProgressed */
/** @typedef {Numbered<"run.cancel_requested", {by: string, device: string | null, runs: string[]}>} RunCancelRequested */
/** @typedef {Numbered<"run.completed", {usage?: Usage, result?: unknown}>} RunCompleted */
/** @typedef {Numbered<"run.cancelled", {}>} RunCancelled */
/** @typedef {Numbered<"run.failed", {code: string, message: string, retry: boolean}>} RunFailed */
/** @typedef {Numbered<"run.interrupted", {reason: string}>} RunInterrupted */

/**
 * @typedef {SessionCreated | SessionRenamed | SessionShelved | SessionConfigured | ParticipantChanged
 *   | MessagePosted | MessageStarted | MessageDelta | MessageCompleted
 *   | RunRequested | RunStarted | RunRestarted | RunProgressed | RunCancelRequested
 *   | RunCompleted | RunCancelled | RunFailed | RunInterrupted} LogEvent
 */

export {};
