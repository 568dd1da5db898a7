import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { emptyTimeline, fold } from "ds/core/timeline.js";
import { conversationMarkdown } from "ds/ui/conversation/copy-messages.js";

/** Returns the lines of what is copied of a log. @param {string} fixture */
function copied(fixture) {
  const { events } = JSON.parse(
    readFileSync(new URL(`../fixtures/layout/${fixture}.json`, import.meta.url), "utf8"),
  );
  const timeline = emptyTimeline();
  fold(timeline, events);
  return conversationMarkdown(timeline, "Title").split("\n\n");
}

test("what waits in the queue is not copied", () => {
  assert.deepEqual(copied("queued"), ["# Title", "**Alice**", "Go", "**Guide**", "half"]);
});

test("what a Run has read stands where it was read", () => {
  const lines = copied("steered");

  assert.ok(lines.indexOf("One") < lines.indexOf("Shorter"));
  assert.ok(lines.indexOf("Shorter") < lines.indexOf("Un"));
});
