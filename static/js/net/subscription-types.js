/**
 * The values that a follower of a Session passes and gets.
 *
 * @module
 * @import { LogEvent } from "ds/core/events.js"
 * @import { PresentDevice, Refused, Subscribed } from "ds/core/protocol.js"
 */

/** @typedef {{after: number, epoch: number} | {last: number}} Start a cursor to resume at, or the number of newest Messages */
/**
 * The range of seqs that the Events cover: after `from`, up to `to`. `fresh`: these Events start anew, forget what you have of the
 * Session; `older`: on a fresh start, there are Messages before them.
 *
 * @typedef {{epoch: number, from: number, to: number, fresh: boolean, older: boolean}} Range
 */
/**
 * No call follows `removed` or `refused`.
 *
 * @typedef {{
 *   events(events: LogEvent[], range: Range): void,
 *   subscribed?(frame: Subscribed): void,
 *   presence?(devices: PresentDevice[]): void,
 *   removed?(reason: string): void,
 *   refused?(refused: Refused): void,
 * }} Handlers
 */

export {};
