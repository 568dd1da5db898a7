/**
 * Posts in IndexedDB.
 *
 * @module
 * @import { Store } from "ds/core/outbox.js"
 */

const NAME = "ds-outbox";
const POSTS = "posts";
const OPEN_MS = 10_000; // some browsers never answer: https://bugs.webkit.org/show_bug.cgi?id=226547

/**
 * @param {IDBFactory} [factory]
 * @param {number} [within] ms
 * @returns {Promise<Store>} rejects where IndexedDB is missing, forbidden or does not answer
 */
export async function openDatabase(factory = globalThis.indexedDB, within = OPEN_MS) {
  const opening = factory.open(NAME, 1);
  opening.onupgradeneeded = () => {
    const posts = opening.result.createObjectStore(POSTS, { keyPath: "order", autoIncrement: true });
    posts.createIndex("id", "id", { unique: true });
    posts.createIndex("user", "user");
  };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("IndexedDB is silent.")), within);
  });
  const database = Promise.race([settled(opening), /** @type {Promise<never>} */ (silence)]);
  return storeIn(await database.finally(() => clearTimeout(timer)));
}

/**
 * @param {IDBDatabase} database
 * @returns {Store}
 */
function storeIn(database) {
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
