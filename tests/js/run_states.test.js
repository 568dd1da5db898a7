import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ACTIVE, TERMINAL } from "ds/core/run-states.js";

const FIXTURE = JSON.parse(readFileSync(new URL("../fixtures/run_states.json", import.meta.url), "utf8"));

test("the states of a Run are the server's", () => {
  assert.deepEqual({ active: [...ACTIVE], terminal: [...TERMINAL] }, FIXTURE);
});
