/**
 * @import { LogEvent } from "ds/core/events.js"
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { emptyTimeline, fold } from "ds/core/timeline.js";
import { Announcements } from "ds/ui/conversation/announcements.js";
import { parseHTML } from "linkedom";
import { TEXTS } from "./layout_shape.js";

const { document, HTMLElement } = parseHTML(`<!doctype html><html><body>
  <p id="announcements"></p>
  <script type="application/json" id="strings">${JSON.stringify(TEXTS.strings)}</script>
</body></html>`);
Object.assign(globalThis, { document, HTMLElement });

const READER = { me: "2", agents: { guide: "The Guide" } };

/** @param {string} fixture @returns {LogEvent[]} */
function eventsOf(fixture) {
  return JSON.parse(readFileSync(new URL(`../fixtures/layout/${fixture}.json`, import.meta.url), "utf8"))
    .events;
}

/**
 * Returns what was announced at each Event, when the page was opened after `before` of them.
 *
 * @param {LogEvent[]} events
 * @param {number} [before]
 */
function announced(events, before = 0) {
  const timeline = emptyTimeline();
  fold(timeline, events.slice(0, before));
  const announcements = new Announcements(READER, timeline);
  const region = /** @type {HTMLElement} */ (document.getElementById("announcements"));
  return events.slice(before).map((event) => {
    region.textContent = "";
    announcements.update(timeline, fold(timeline, [event]));
    return region.textContent ?? "";
  });
}

test("a question is announced when it is asked, with what was said before it", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const events = eventsOf("asks").slice(0, 6);

  const heard = announced(events);

  assert.deepEqual(heard.slice(2), [
    "The Guide is answering",
    "",
    "",
    "Let me ask. The Guide asks: Where to?",
  ]);
});

test("a question that was there when the page was opened is not announced", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const events = eventsOf("asks");

  assert.ok(announced(events, events.length - 1).every((text) => !text.includes("asks")));
});

test("an agent that uses tools is announced once", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const heard = announced(eventsOf("tools").slice(0, 5), 2);

  assert.deepEqual(heard, ["The Guide is answering", "", ""]);
});

test("a message that is taken back from the queue ends no answer", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const events = eventsOf("queue_paused");
  const withdrawn = events.findIndex(
    ({ kind, data }) => kind === "message.dequeued" && data.reason === "withdrawn",
  );

  assert.equal(events[withdrawn + 1]?.kind, "run.cancelled");
  assert.equal(announced(events)[withdrawn + 1], "");
});
