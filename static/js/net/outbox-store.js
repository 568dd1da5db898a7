/**
 * The store of posts that the server does not have yet: IndexedDB, and localStorage for what IndexedDB refuses.
 *
 * @module
 * @import { Store } from "ds/core/outbox.js"
 */

import { openDatabase } from "ds/net/outbox-database.js";
import { localPosts } from "ds/net/outbox-local.js";

const STEP = 2 ** -10; // IndexedDB counts its entries: so many fit behind the last one, and before its next

/**
 * @param {Promise<Store>} [database]
 * @param {ReturnType<typeof localPosts>} [local]
 * @returns {Store}
 */
export function openStore(database = openDatabase(), local = localPosts()) {
  let last = 0; // the order of the newest entry
  database.catch(() => {}); // each method sees it
  const isLocal = async (/** @type {string} */ id) => local.has(id);
  return {
    async add(entry) {
      try {
        await (await database).add(entry);
      } catch {
        entry.order = last + STEP;
        local.put(entry);
      } finally {
        last = Math.max(last, entry.order);
      }
    },
    async put(entry) {
      if (await isLocal(entry.id).catch(() => false)) local.put(entry);
      else await (await database).put(entry);
    },
    async remove(id) {
      if (await isLocal(id).catch(() => false)) local.remove(id);
      else await (await database).remove(id);
    },
    async all(user) {
      const found = await Promise.allSettled([
        database.then((store) => store.all(user)),
        (async () => local.all(user))(),
      ]);
      const entries = found.flatMap((part) => (part.status === "fulfilled" ? part.value : []));
      last = entries.reduce((newest, { order }) => Math.max(newest, order), last);
      return entries;
    },
  };
}
