/**
 * The frames of the wire as types, and the constants and rules of every client (docs/reference/wire.md).
 *
 * @module
 * @import { LogEvent } from "ds/core/events.js"
 */

export const SUBPROTOCOL = "durable-sessions.v1";

export const Close = Object.freeze({
  NORMAL: 1000,
  ABNORMAL: 1006, // reported by browsers when a connection breaks
  RESTART: 1012,
  BUSY: 1013,
  NOT_SIGNED_IN: 4401,
  TOO_SLOW: 4408,
});

/** @typedef {{type: "text", text: string}} TextPart */
/** @typedef {"queue" | "steer" | "interrupt" | "reject"} Policy */

/** @typedef {{type: "hello", device: string, label?: string}} Hello */
/** @typedef {{type: "subscribe", session: string, after: number, epoch: number}} Resume */
/** @typedef {{type: "subscribe", session: string, last: number}} ColdStart */
/** @typedef {{type: "unsubscribe", session: string}} Unsubscribe */
/**
 * @typedef {{
 *   type: "post", id: string, session: string, parts: TextPart[], parent?: string, agent?: string, policy?: Policy,
 * }} Post
 */
/** @typedef {{type: "cancel", id: string, session: string, run?: string}} Cancel without `run`: all active Runs */
/** @typedef {{type: "regenerate", id: string, session: string, message: string}} Regenerate */
/** @typedef {{type: "read", session: string, seq: number}} Read */
/** @typedef {{type: "typing", session: string, active: boolean}} Typing */
/** @typedef {{type: "ping", n?: number}} Ping */
/** @typedef {{type: "answer", id: string, session: string, ask: string, value?: unknown, declined?: true}} AnswerAsk */
/** @typedef {{type: "unqueue", id: string, session: string, message: string}} Unqueue */
/** @typedef {{type: "edit_queued", id: string, session: string, message: string, parts: TextPart[]}} EditQueued */
/** @typedef {{type: "resume_queue", id: string, session: string}} ResumeQueue */
/** @typedef {Post | Cancel | Regenerate | AnswerAsk | Unqueue | EditQueued | ResumeQueue} Command the server answers with `ok` or `error` and the same `id` */
/** @typedef {Hello | Resume | ColdStart | Unsubscribe | Command | Read | Typing | Ping} ClientFrame */

/**
 * @typedef {{
 *   type: "welcome", protocol: number, user: string, name?: string, device: string, heartbeat_ms: number,
 *   limits: Record<string, number>,
 * }} Welcome
 */
/**
 * @typedef {{type: "subscribed", session: string, epoch: number, head: number, role: Role, restart: boolean}} Subscribed
 */
/** @typedef {"owner" | "editor" | "viewer"} Role */
/**
 * @typedef {{
 *   type: "events", session: string, epoch: number, from: number, to: number, events: LogEvent[], older?: boolean,
 * }} EventsFrame
 */
/** @typedef {{type: "ok", id: string, seq: number, message?: string, run?: string, outcome?: string}} Ok */
/**
 * @typedef {{
 *   type: "error", id?: string, session?: string, code: string, message: string, retry: boolean, retry_after_ms?: number,
 *   fields?: Record<string, string>,
 * }} ErrorFrame
 */
/**
 * @typedef {{
 *   device: string, user: string, name: string, label: string, state: "active" | "idle", typing: boolean,
 * }} PresentDevice
 */
/** @typedef {{type: "presence", session: string, devices: PresentDevice[]}} Presence the whole list, at each change */
/** @typedef {{type: "heartbeat", heads: Record<string, number>}} Heartbeat */
/** @typedef {{type: "pong", n?: number, heads: Record<string, number>}} Pong */
/** @typedef {{type: "unsubscribed", session: string}} Unsubscribed */
/** @typedef {{type: "removed", session: string, reason: string}} Removed */
/** @typedef {{type: "goodbye", code: number, reason: string, retry_after_ms?: number}} Goodbye */
/**
 * @typedef {Welcome | Subscribed | Unsubscribed | EventsFrame | Ok | ErrorFrame | Presence | Heartbeat | Pong
 *   | Removed | Goodbye} ServerFrame
 */

/**
 * Parses a frame of the server. A frame of an unknown type is returned, too: a later version of the server sent it.
 *
 * @param {unknown} text the data of one WebSocket message
 * @returns {ServerFrame | null} null: not a frame
 */
export function parseFrame(text) {
  if (typeof text !== "string") return null;
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && typeof value.type === "string" ? value : null;
  } catch {
    return null;
  }
}

/**
 * Returns whether a client may reconnect by itself after this close code.
 *
 * @param {number} code
 */
export function mayReconnect(code) {
  return code < 4400 || code > 4499 || code === Close.TOO_SLOW;
}

/** The error of a refused command. `retry`: the same command may succeed later. `fields`: a sentence for each wrong field. */
export class Refused extends Error {
  /**
   * @param {{
   *   code: string, message: string, retry?: boolean, retryAfterMs?: number | undefined, fields?: Record<string, string>,
   * }} refusal
   */
  constructor({ code, message, retry = false, retryAfterMs, fields = {} }) {
    super(message);
    this.name = "Refused";
    this.code = code;
    this.retry = retry;
    this.retryAfterMs = retryAfterMs;
    this.fields = fields;
  }
}

/** @param {ErrorFrame} frame */
export function toRefused({ code, message, retry, retry_after_ms, fields = {} }) {
  return new Refused({ code, message, retry, retryAfterMs: retry_after_ms, fields });
}
