import assert from "node:assert/strict";
import { test } from "node:test";
import { MarkdownStream, renderInto } from "ds/ui/markdown.js";
import { HARD, randomFrom, randomText } from "./markdown_texts.js";
import { container, html } from "./page.js";

const AT_ONCE = { frame: (/** @type {() => void} */ callback) => callback(), later: () => {}, now: () => 0 };

/** @param {string} text */
function atOnce(text) {
  const place = container();
  renderInto(place, text);
  return html(place);
}

/**
 * @param {string} text
 * @param {() => number} random
 */
function streamed(text, random) {
  const place = container();
  const stream = new MarkdownStream(place, { pace: AT_ONCE });
  for (let end = 0; end < text.length; end += 1 + Math.floor(random() * 12)) stream.set(text.slice(0, end));
  stream.set(text);
  stream.finish();
  return html(place);
}

test("streamed text ends as the text rendered at once, for hard texts cut at every place", () => {
  for (const text of HARD)
    assert.equal(
      streamed(text, () => 0),
      atOnce(text),
      JSON.stringify(text),
    );
});

test("streamed text ends as the text rendered at once, for random texts and cuts", () => {
  const random = randomFrom(Number(process.env.SEED ?? 20260131));
  for (let i = 0; i < Number(process.env.CASES ?? 1500); i++) {
    const text = randomText(random);
    assert.equal(streamed(text, random), atOnce(text), `case ${i}: ${JSON.stringify(text)}`);
  }
});
