/**
 * The wire's frames as types, and what every client needs to know of them (docs/reference/wire.md).
 *
 * @module
 * @import { LogEvent } from "ds/core/events.js"
 */

export const SUBPROTOCOL = "durable-sessions.v1";
export const FRAME_BYTES = 64 * 1024; // bytes of one frame to the server; over it the Connection closes with 1009

export const Close = Object.freeze({
  NORMAL: 1000,
  ABNORMAL: 1006, // what a browser reports for a connection that broke
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
/** @typedef {{type: "cancel", id: string, session: string, run?: string}} Cancel without `run`: all that are active */
/** @typedef {{type: "regenerate", id: string, session: string, message: string}} Regenerate */
/** @typedef {{type: "read", session: string, seq: number}} Read */
/** @typedef {{type: "typing", session: string, active: boolean}} Typing */
/** @typedef {{type: "ping", n?: number}} Ping */
/** @typedef {Post | Cancel | Regenerate} Command what is answered by `ok` or `error` with its `id` */
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
 * }} ErrorFrame
 */
/**
 * @typedef {{
 *   device: string, user: string, name: string, label: string, state: "active" | "idle", typing: boolean,
 * }} PresentDevice
 */
/** @typedef {{type: "presence", session: string, devices: PresentDevice[]}} Presence the whole list, on each change */
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
 * The server's frame, or null for what is none. A frame of an unknown type comes back too: let the `switch` pass over it.
 *
 * @param {unknown} text the data of one WebSocket message
 * @returns {ServerFrame | null}
 */
export function parse(text) {
  if (typeof text !== "string") return null;
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && typeof value.type === "string" ? value : null;
  } catch {
    return null;
  }
}

/**
 * May a client reconnect by itself after this close code?
 *
 * @param {number} code
 */
export function mayReconnect(code) {
  return code < 4400 || code > 4499 || code === Close.TOO_SLOW;
}

/** What a refused command rejects with. `retry`: the same command may well succeed later. */
export class Refused extends Error {
  /** @param {{code: string, message: string, retry?: boolean, retryAfterMs?: number | undefined}} said */
  constructor({ code, message, retry = false, retryAfterMs }) {
    super(message);
    this.name = "Refused";
    this.code = code;
    this.retry = retry;
    this.retryAfterMs = retryAfterMs;
  }
}

/** @param {ErrorFrame} frame */
export function refusal({ code, message, retry, retry_after_ms }) {
  return new Refused({ code, message, retry, retryAfterMs: retry_after_ms });
}
