/**
 * Lays out the logs that come as JSON on stdin and says where a layout differs from what Python made of the same log
 * (tests/plain/test_layout.py).
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { laidOut } from "./layout_shape.js";

const { reader, cases } = JSON.parse(readFileSync(0, "utf8"));
for (const { log, exchanges } of cases) assert.deepEqual(laidOut(log, reader), exchanges);
console.log(`${cases.length} agree`);
