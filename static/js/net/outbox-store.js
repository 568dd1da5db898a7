/**
 * The store of posts that the server does not have yet: IndexedDB, or memory in a browser without it.
 *
 * @module
 * @import { Entry } from "ds/core/outbox.js"
 */

const NAME = "ds-outbox";
const POSTS = "posts";

/**
 * `add` sets the entry's `order`; `put` and `remove` find an entry by its id; `all` returns a user's entries.
 *
 * @typedef {{
 *   add(entry: Entry): Promise<void>, put(entry: Entry): Promise<void>, remove(id: string): Promise<void>,
 *   all(user: string): Promise<Entry[]>,
 * }} Store
 */

/**
 * @param {IDBFactory | undefined} [factory]
 * @returns {Store}
 */
export function openStore(factory = globalThis.indexedDB) {
  const memory = memoryStore();
  if (!factory) return memory;
  const disk = open(factory).then(diskStore, () => memory);
  return {
    add: async (entry) => (await disk).add(entry),
    put: async (entry) => (await disk).put(entry),
    remove: async (id) => (await disk).remove(id),
    all: async (user) => (await disk).all(user),
  };
}

/** @returns {Store} */
export function memoryStore() {
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  let last = 0;
  return {
    async add(entry) {
      entry.order = ++last;
      entries.set(entry.id, { ...entry });
    },
    put: async (entry) => void entries.set(entry.id, { ...entry }),
    remove: async (id) => void entries.delete(id),
    all: async (user) =>
      [...entries.values()].filter((entry) => entry.user === user).map((entry) => ({ ...entry })),
  };
}

/**
 * @param {IDBFactory} factory
 * @returns {Promise<IDBDatabase>}
 */
function open(factory) {
  const opening = factory.open(NAME, 1);
  opening.onupgradeneeded = () => {
    const posts = opening.result.createObjectStore(POSTS, { keyPath: "order", autoIncrement: true });
    posts.createIndex("id", "id", { unique: true });
    posts.createIndex("user", "user");
  };
  return settled(opening);
}

/**
 * @param {IDBDatabase} database
 * @returns {Store}
 */
function diskStore(database) {
  // Strict: a post must be on the disk before its draft is cleared, even if the power fails a moment later.
  const posts = () => database.transaction(POSTS, "readwrite", { durability: "strict" }).objectStore(POSTS);
  return {
    async add(entry) {
      const { order: _, ...rest } = entry;
      entry.order = Number(await settled(posts().add(rest)));
    },
    put: async (entry) => void (await settled(posts().put({ ...entry }))),
    async remove(id) {
      const store = posts();
      const key = await settled(store.index("id").getKey(id));
      if (key !== undefined) await settled(store.delete(key));
    },
    all: (user) => settled(posts().index("user").getAll(user)),
  };
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
