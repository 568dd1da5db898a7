import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceId, deviceLabel } from "ds/net/device.js";

const UUID_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function storage() {
  /** @type {Map<string, string>} */
  const kept = new Map();
  return {
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void kept.set(key, value),
  };
}

test("an installation keeps its uuid, and replaces a broken one", () => {
  const store = storage();
  const id = deviceId(store);
  assert.match(id, UUID_4);
  assert.equal(deviceId(store), id);
  assert.notEqual(deviceId(storage()), id);
  store.setItem("ds:device", "nonsense");
  assert.match(deviceId(store), UUID_4);
});

test("there is a uuid where storage is forbidden", () => {
  const forbidden = () => {
    throw new Error("SecurityError");
  };
  assert.match(deviceId({ getItem: forbidden, setItem: forbidden }), UUID_4);
});

test("a device has a label for people", () => {
  const labels = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Linux",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":
      "Edge on Windows",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":
      "Chrome on Android",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1":
      "Safari on iPhone",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":
      "Safari on Mac",
    "something else": "Browser",
  };
  for (const [agent, name] of Object.entries(labels)) assert.equal(deviceLabel(agent), name);
});
