/**
 * Posts in localStorage, for browsers that refuse IndexedDB. Each method throws where localStorage is forbidden, too.
 *
 * @module
 * @import { Entry } from "ds/core/outbox.js"
 */

const PREFIX = "ds:outbox:";

/** @param {() => Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">} storage */
export function localPosts(storage = () => localStorage) {
  const keyOf = (/** @type {string} */ id) => PREFIX + id;
  return {
    /** @param {string} id */
    has: (id) => storage().getItem(keyOf(id)) !== null,
    /** @param {Entry} entry */
    put: (entry) => storage().setItem(keyOf(entry.id), JSON.stringify(entry)),
    /** @param {string} id */
    remove: (id) => storage().removeItem(keyOf(id)),
    /** @param {string} user */
    all(user) {
      const store = storage();
      return Array.from({ length: store.length }, (_, index) => store.key(index) ?? "")
        .filter((key) => key.startsWith(PREFIX))
        .map((key) => /** @type {Entry} */ (JSON.parse(store.getItem(key) ?? "{}")))
        .filter((entry) => entry.user === user);
    },
  };
}
