import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { openDatabase } from "ds/net/outbox-database.js";
import { localPosts } from "ds/net/outbox-local.js";
import { openStore } from "ds/net/outbox-store.js";
import { FakeStorage, memoryStore, page, until } from "./outbox_page.js";
import { settle } from "./world.js";

/** @import { Store } from "ds/core/outbox.js" */

const REFUSED = () => Promise.reject(new Error("refused"));

/** Opens a store on an IndexedDB that refuses. @param {FakeStorage} storage */
function withoutDatabase(storage) {
  return openStore(
    REFUSED(),
    localPosts(() => storage),
  );
}

test("posts written offline survive the page and arrive once, in order, with the same ids", async () => {
  const store = openStore();
  const first = await page({ store });
  await Promise.all(["a", "b"].map((text) => first.write(text).kept));
  assert.deepEqual(first.shown(), ["a waiting", "b waiting"]);
  const second = await page({ store });
  second.world.socket.welcome();
  await until(() => second.sent().length === 1);
  const { id } = second.world.socket.sentOf("post")[0];
  second.world.socket.drop();
  const third = await page({ store });
  third.world.socket.welcome();
  await until(() => third.sent().length === 1);
  assert.equal(third.world.socket.sentOf("post")[0].id, id);
  third.world.socket.deliver({ type: "ok", id, seq: 1 });
  await until(() => third.sent().length === 2);
  third.world.socket.deliver({ type: "ok", id: third.world.socket.sentOf("post")[1].id, seq: 2 });
  await until(() => third.shown().length === 0);
  const last = openStore();
  await until(async () => (await last.all("1")).length === 0);
});

test("where IndexedDB is missing, forbidden or silent, posts survive the page in localStorage", async () => {
  const forbidden = /** @type {any} */ ({
    open() {
      throw new DOMException("The operation is insecure.", "SecurityError");
    },
  });
  const silent = /** @type {any} */ ({ open: () => ({}) });
  for (const opening of [
    () => openDatabase(/** @type {any} */ (null), 0),
    () => openDatabase(forbidden, 0),
    () => openDatabase(silent, 0),
  ]) {
    const storage = new FakeStorage();
    const first = await page({
      store: openStore(
        opening(),
        localPosts(() => storage),
      ),
    });
    await Promise.all(["a", "b"].map((text) => first.write(text).kept));
    const second = await page({ store: withoutDatabase(storage) });
    assert.deepEqual(second.shown(), ["a waiting", "b waiting"]);
    second.world.socket.welcome();
    for (const text of ["a", "b"]) {
      await until(() => second.sent().at(-1) === text);
      const { id } = second.world.socket.sentOf("post").at(-1);
      second.world.socket.deliver({ type: "ok", id, seq: 1 });
    }
    await until(() => second.shown().length === 0 && storage.length === 0);
  }
});

test("what IndexedDB refuses stands behind what it took before, and before what it takes next", async () => {
  const disk = memoryStore();
  let isFull = false;
  /** @type {Store} */
  const database = { ...disk, add: (entry) => (isFull ? REFUSED() : disk.add(entry)) };
  const storage = new FakeStorage();
  const open = () =>
    openStore(
      Promise.resolve(database),
      localPosts(() => storage),
    );
  const first = await page({ store: open() });
  for (const text of ["a", "b", "c", "d"]) {
    isFull = text === "b" || text === "c";
    await first.write(text).kept;
  }
  assert.equal(storage.length, 2);
  const second = await page({ store: open() });
  assert.deepEqual(second.shown(), ["a waiting", "b waiting", "c waiting", "d waiting"]);
});

test("a refused post in localStorage keeps its refusal, and goes when it is discarded", async () => {
  const storage = new FakeStorage();
  const first = await page({ store: withoutDatabase(storage) });
  first.world.socket.welcome();
  const { entry } = first.write("a");
  await until(() => first.sent().length === 1);
  first.world.socket.deliver({
    type: "error",
    id: entry.id,
    code: "read_only",
    message: "No.",
    retry: false,
  });
  await until(() => first.shown()[0] === "a failed");
  await settle();
  const second = await page({ store: withoutDatabase(storage) });
  assert.deepEqual(second.shown(), ["a failed"]);
  await second.outbox.discard(entry.id);
  assert.equal(storage.length, 0);
});

test("a post that nothing can store is not kept, but sent", async () => {
  const storage = new FakeStorage();
  storage.isFull = true;
  const forbidden = () => {
    throw new DOMException("The operation is insecure.", "SecurityError");
  };
  for (const local of [localPosts(() => storage), localPosts(forbidden)]) {
    const { world, write, sent, shown } = await page({ store: openStore(REFUSED(), local) });
    world.socket.welcome();
    const [a, b] = [write("a"), write("b")];
    await assert.rejects(a.kept);
    await assert.rejects(b.kept);
    for (const text of ["a", "b"]) {
      await until(() => sent().at(-1) === text);
      world.socket.deliver({ type: "ok", id: world.socket.sentOf("post").at(-1).id, seq: 1 });
    }
    await until(() => shown().length === 0);
  }
});
