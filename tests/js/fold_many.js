/**
 * Reads cases as JSON from stdin, folds each and fails where the result differs from Python's (tests/plain/test_timeline.py).
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { emptyTimeline, fold, prepend } from "ds/core/timeline.js";
import { shapeOf } from "./timeline_shape.js";

const cases = JSON.parse(readFileSync(0, "utf8"));
for (const { readings, log, cut, timeline } of cases) {
  for (const pieces of readings) {
    const folded = emptyTimeline();
    for (const piece of pieces) fold(folded, piece);
    assert.deepEqual(shapeOf(folded), timeline);
  }
  const late = emptyTimeline();
  fold(late, log.slice(cut), timeline.cursor);
  prepend(late, log.slice(0, cut));
  assert.deepEqual(shapeOf(late), timeline);
}
console.log(`${cases.length} agree`);
