import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { emptyTimeline, fold, prepend } from "ds/core/timeline.js";
import { shapeOf } from "./timeline_shape.js";

const FOLDER = new URL("../fixtures/timeline/", import.meta.url);
const FIXTURES = readdirSync(FOLDER).map((name) => JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")));

for (const { why, events, timeline } of FIXTURES) {
  test(`folds: ${why}`, () => {
    const whole = emptyTimeline();
    fold(whole, events);
    assert.deepEqual(shapeOf(whole), timeline);
  });

  test(`folds any beginning, then the rest: ${why}`, () => {
    for (let cut = 0; cut <= events.length; cut++) {
      const parts = emptyTimeline();
      fold(parts, events.slice(0, cut));
      fold(parts, events.slice(Math.max(0, cut - 2)));
      assert.deepEqual(shapeOf(parts), timeline, `cut at ${cut}`);
    }
  });

  test(`puts an earlier page before what it has: ${why}`, () => {
    for (let cut = 0; cut <= events.length; cut++) {
      const late = emptyTimeline();
      fold(late, events.slice(cut), timeline.cursor);
      prepend(late, events.slice(0, cut));
      assert.deepEqual(shapeOf(late), timeline, `cut at ${cut}`);
    }
  });
}

test("a fold returns the ids that it touched", () => {
  const { events } = FIXTURES.find(({ why }) => why.startsWith("A restart voids")) ?? {};
  const timeline = emptyTimeline();
  const first = fold(timeline, events.slice(0, 6));
  const then = fold(timeline, events.slice(6, 7));
  assert.deepEqual([...first.messages], [events[0].data.message, events[4].data.message]);
  assert.deepEqual([...then.removed], [events[4].data.message]);
  assert.deepEqual([...then.messages], []);
});

test("the end of a range moves the cursor past its last Event", () => {
  const timeline = emptyTimeline(1, 5);
  fold(timeline, [], 9);
  assert.equal(timeline.cursor, 9);
});
