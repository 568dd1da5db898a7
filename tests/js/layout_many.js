/**
 * Reads logs as JSON from stdin, lays out each and fails where the result differs from Python's (tests/plain/test_layout.py).
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { laidOut } from "./layout_shape.js";

const { reader, cases } = JSON.parse(readFileSync(0, "utf8"));
for (const { log, laid_out } of cases) assert.deepEqual(laidOut(log, reader), laid_out);
console.log(`${cases.length} agree`);
