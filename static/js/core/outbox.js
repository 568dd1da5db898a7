/**
 * The rules of the outbox: which post is sent next, and what a refusal means for it.
 *
 * @module
 * @import { Policy, Refused, TextPart } from "ds/core/protocol.js"
 */

/** @typedef {{session: string, parts: TextPart[], parent?: string, agent?: string, policy?: Policy}} NewPost a Message for a Session */
/**
 * A post on its way to the server. `id`: the command's, the same over every retry; `user`: the author's id, only this user sends it;
 * `order`: of writing, over all tabs; `at`: ms since 1970. `failed` waits for the person to decide; `refused` says why.
 *
 * @typedef {NewPost & {
 *   id: string, user: string, order: number, at: number, state: "waiting" | "sending" | "failed",
 *   refused?: {code: string, message: string},
 * }} Entry
 */
/**
 * Where posts survive a reload. `add` sets the entry's `order`, also when it rejects; `put` and `remove` find an entry by its id;
 * `all` returns a user's entries.
 *
 * @typedef {{
 *   add(entry: Entry): Promise<void>, put(entry: Entry): Promise<void>, remove(id: string): Promise<void>,
 *   all(user: string): Promise<Entry[]>,
 * }} Store
 */

/** Codes of refusals that would be repeated until something else changes: the person decides. */
const FINAL = new Set(["run_active", "limit_reached"]);

/**
 * Returns the posts to send now: the oldest of each Session, unless it is on its way. One at a time, they arrive in order.
 *
 * @param {Iterable<Entry>} entries
 * @returns {Entry[]}
 */
export function due(entries) {
  /** @type {Map<string, Entry>} */
  const oldest = new Map();
  for (const entry of entries) {
    const before = oldest.get(entry.session);
    if (entry.state !== "failed" && (!before || entry.order < before.order)) oldest.set(entry.session, entry);
  }
  return [...oldest.values()].filter(({ state }) => state === "waiting");
}

/**
 * Returns whether a refused post is sent again without asking the person.
 *
 * @param {Refused} refused
 */
export function isRetried(refused) {
  return refused.retry && !FINAL.has(refused.code);
}

/**
 * Returns the command that carries the post.
 *
 * @param {Entry} entry
 * @returns {import("ds/core/protocol.js").Post}
 */
export function toCommand({ id, session, parts, parent, agent, policy }) {
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
