/**
 * Reads cases as JSON from stdin, folds each and fails where the result differs from Python's (tests/plain/test_timeline.py).
 *
 * @import { Timeline } from "ds/core/timeline-types.js"
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { activeBranch } from "ds/core/active-branch.js";
import { Branches } from "ds/core/branches.js";
import { emptyTimeline, fold, prepend } from "ds/core/timeline.js";
import { shapeOf } from "./timeline_shape.js";

const branchOf = (/** @type {Timeline} */ timeline) => {
  const { messages, runs } = activeBranch(timeline);
  return [new Branches(timeline).active(), [...messages.keys()], [...runs.keys()]];
};

const cases = JSON.parse(readFileSync(0, "utf8"));
for (const { readings, log, cut, timeline, branch } of cases) {
  for (const pieces of readings) {
    const folded = emptyTimeline();
    for (const piece of pieces) fold(folded, piece);
    assert.deepEqual(shapeOf(folded), timeline);
    assert.deepEqual(branchOf(folded), branch);
  }
  const late = emptyTimeline();
  fold(late, log.slice(cut), timeline.cursor);
  prepend(late, log.slice(0, cut));
  assert.deepEqual(shapeOf(late), timeline);
  assert.deepEqual(branchOf(late), branch);
}
console.log(`${cases.length} agree`);
