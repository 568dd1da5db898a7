/**
 * The rules of the outbox: which post goes next, and what a refusal means for it.
 *
 * @module
 * @import { Policy, Refused, TextPart } from "ds/core/protocol.js"
 */

/** What a person wrote for a Session. @typedef {{session: string, parts: TextPart[], parent?: string, agent?: string, policy?: Policy}} Draft */
/**
 * A post on its way. `id`: the command's, kept over every retry; `user`: who wrote it, nobody else sends it; `order`: by
 * when it was written, over all tabs; `at`: ms since 1970. `failed` waits for a person, `refused` says why.
 *
 * @typedef {Draft & {
 *   id: string, user: string, order: number, at: number, state: "waiting" | "sending" | "failed",
 *   refused?: {code: string, message: string},
 * }} Entry
 */

/** A refusal that the same post will meet again as long as nothing else changes: a person decides. */
const FINAL = new Set(["run_active"]);

/**
 * The posts to send now: of each Session the oldest that waits, one at a time, so that they arrive in order.
 *
 * @param {Iterable<Entry>} entries
 * @returns {Entry[]}
 */
export function due(entries) {
  /** @type {Map<string, Entry>} */
  const first = new Map();
  for (const entry of entries) {
    const before = first.get(entry.session);
    if (entry.state !== "failed" && (!before || entry.order < before.order)) first.set(entry.session, entry);
  }
  return [...first.values()].filter(({ state }) => state === "waiting");
}

/**
 * May a refused post be sent again without asking anybody?
 *
 * @param {Refused} refused
 */
export function goesAgain(refused) {
  return refused.retry && !FINAL.has(refused.code);
}

/**
 * The command that carries the post.
 *
 * @param {Entry} entry
 * @returns {import("ds/core/protocol.js").Post}
 */
export function command({ id, session, parts, parent, agent, policy }) {
  return {
    type: "post",
    id,
    session,
    parts,
    ...(parent && { parent }),
    ...(agent && { agent }),
    ...(policy && { policy }),
  };
}
