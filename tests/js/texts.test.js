import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isVisible, withoutBlankLines } from "ds/core/texts.js";

/** @param {string} name */
function fixture(name) {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8"));
}

for (const { text, visible, why } of fixture("visible_texts")) {
  test(`${visible ? "visible" : "invisible"}: ${why}`, () => assert.equal(isVisible(text), visible));
}

test("only blank lines around a text are not sent", () => {
  for (const { typed, sent } of fixture("sent_texts"))
    assert.equal(withoutBlankLines(typed), sent, JSON.stringify(typed));
});
