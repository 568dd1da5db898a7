/**
 * @import { Connection } from "ds/net/connection.js"
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, test } from "node:test";
import { Refused } from "ds/core/protocol.js";
import { emptyTimeline, fold } from "ds/core/timeline.js";
import { StopButton } from "ds/ui/composer/stop-button.js";
import { parseHTML } from "linkedom";

const PAGE = `<!doctype html><html><body><div id="toasts"></div><button id="stop"></button></body></html>`;

/** @type {Document} */
let document;
/** @type {any[]} */
let sent;
/** Refuses the command that was sent. @type {(code: string) => void} */
let refuse;

beforeEach(() => {
  const window = parseHTML(PAGE);
  document = window.document;
  const { HTMLElement, HTMLButtonElement } = window;
  Object.assign(globalThis, { document, HTMLElement, HTMLButtonElement });
  sent = [];
});

/** Returns the button on the page of a fixture of the layout. @param {string} fixture */
function stopButton(fixture) {
  const { events } = JSON.parse(
    readFileSync(new URL(`../fixtures/layout/${fixture}.json`, import.meta.url), "utf8"),
  );
  const timeline = emptyTimeline();
  fold(timeline, events);
  const command = (/** @type {unknown} */ frame) => {
    sent.push(frame);
    return new Promise((_, reject) => {
      refuse = (code) => reject(new Refused({ code, message: `It is ${code}.` }));
    });
  };
  const stop = new StopButton(/** @type {Connection} */ (/** @type {unknown} */ ({ command })), "s");
  stop.update(timeline);
  return /** @type {HTMLButtonElement} */ (document.getElementById("stop"));
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("Stop is about the answer at work, and what waits in the queue stays", () => {
  const button = stopButton("queued");

  button.click();

  assert.deepEqual(
    sent.map(({ type, run }) => [type, run]),
    [["cancel", "11111111-0000-4000-8000-000000000001"]],
  );
});

test("Stop can be pressed again when it was refused", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const button = stopButton("queued");
  button.click();
  assert.equal(button.disabled, true);

  refuse("rate_limited");
  await settled();

  assert.equal(button.disabled, false);
  assert.match(document.getElementById("toasts")?.textContent ?? "", /rate_limited/);
});

test("an answer that has ended meanwhile is as good as stopped", async () => {
  const button = stopButton("queued");
  button.click();

  refuse("run_ended");
  await settled();

  assert.equal(button.disabled, true);
  assert.equal(document.getElementById("toasts")?.textContent, "");
});

test("there is nothing to stop where messages only wait", () => {
  assert.equal(stopButton("queue_paused").hidden, true);
});
