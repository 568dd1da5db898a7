import assert from "node:assert/strict";
import { test } from "node:test";
import { browserEnvironment } from "ds/net/environment.js";

/** The window and the document of a browser, as far as waking goes. */
function browser() {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  Object.assign(globalThis, { addEventListener: window.addEventListener.bind(window), document });
  let wakes = 0;
  const stop = browserEnvironment().onWake(() => wakes++);
  return { window, document, stop, wakes: () => wakes };
}

for (const name of ["online", "pageshow"]) {
  test(`wakes by ${name}`, () => {
    const { window, wakes } = browser();
    window.dispatchEvent(new Event(name));
    assert.equal(wakes(), 1);
  });
}

test("wakes by visibilitychange, when the page can be seen", () => {
  const { document, wakes } = browser();
  document.visibilityState = "hidden";
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(wakes(), 0);
  document.visibilityState = "visible";
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(wakes(), 1);
});

test("sleeps on when nobody listens any more", () => {
  const { window, document, stop, wakes } = browser();
  stop();
  for (const name of ["online", "pageshow"]) window.dispatchEvent(new Event(name));
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(wakes(), 0);
});
