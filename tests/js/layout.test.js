import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { isLong } from "ds/ui/conversation/message-texts.js";
import { laidOut, TEXTS } from "./layout_shape.js";

const FOLDER = new URL("../fixtures/layout/", import.meta.url);

for (const name of readdirSync(FOLDER)) {
  const { why, me, role, agents, events, exchanges, queue } = JSON.parse(
    readFileSync(new URL(name, FOLDER), "utf8"),
  );
  test(`lays out: ${why}`, () => {
    assert.deepEqual(laidOut(events, { me, agents, role }), { exchanges, queue });
  });
}

test("numbers are written as the server writes them", () => {
  for (const [number, text] of TEXTS.numbers) assert.equal(String(number), text);
});

test("long messages are counted in code points and lines", () => {
  const found = TEXTS.long_texts.map(({ piece, times }) => isLong(piece.repeat(times)));
  assert.deepEqual(
    found,
    TEXTS.long_texts.map(({ long }) => long),
  );
});
