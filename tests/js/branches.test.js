import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { activeBranch } from "ds/core/active-branch.js";
import { Branches } from "ds/core/branches.js";
import { emptyTimeline, fold } from "ds/core/timeline.js";

const FOLDER = new URL("../fixtures/branches/", import.meta.url);

for (const name of readdirSync(FOLDER)) {
  const { why, events, branch, messages, runs } = JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"));
  test(`finds the active branch: ${why}`, () => {
    const timeline = emptyTimeline();
    fold(timeline, events);
    const shown = activeBranch(timeline);
    assert.deepEqual(new Branches(timeline).active(), branch);
    assert.deepEqual([...shown.messages.keys()].sort(), messages);
    assert.deepEqual([...shown.runs.keys()].sort(), runs);
  });
}
