import assert from "node:assert/strict";
import { test } from "node:test";
import { MarkdownStream, renderInto } from "ds/ui/markdown/stream.js";
import { container, html } from "./dom.js";
import { INTRUDERS, withoutIntruders } from "./intruders.js";
import { FIXTURES, randomFrom, randomText } from "./markdown_texts.js";

const CASES = Number(process.env.CASES ?? 300);
const SEED = Number(process.env.SEED ?? 20_260_131);
const AT_ONCE = { frame: (/** @type {() => void} */ callback) => callback(), later: () => {}, now: () => 0 };

/** @param {string} text */
function atOnce(text) {
  const place = container();
  renderInto(place, text);
  return html(place);
}

/**
 * Streams the text while an intruder changes the page after each piece.
 *
 * @param {string} text
 * @param {(place: Element) => void} intrude
 * @param {() => number} random
 */
function disturbed(text, intrude, random) {
  const place = container();
  const stream = new MarkdownStream(place, { pace: AT_ONCE });
  for (let end = 1; end < text.length; end += 1 + Math.floor(random() * 12)) {
    stream.set(text.slice(0, end));
    intrude(place);
  }
  stream.set(text);
  stream.finish();
  intrude(place);
  return html(withoutIntruders(place));
}

for (const [name, intrude] of Object.entries(INTRUDERS)) {
  test(`every word is there while a ${name} is at work`, () => {
    const random = randomFrom(SEED);
    const texts = FIXTURES.map(({ text }) => text).concat(
      Array.from({ length: CASES }, () => randomText(random)),
    );
    for (const text of texts) {
      const plain = text.replace(/[«»]/g, "");
      assert.equal(disturbed(plain, intrude, random), atOnce(plain), JSON.stringify(plain));
    }
  });
}

test("finished blocks keep what a translator made of them", () => {
  const place = container();
  const stream = new MarkdownStream(place, { pace: AT_ONCE });
  const start = "one **two** three\n\n1. four\n2. five\n\n| a |\n|---|\n| 1 |\n| 2 |\n";
  stream.set(`${start}| 3 |`);
  INTRUDERS.translator(place);
  const kept = [...place.querySelectorAll("p font, th font, td font")].slice(0, -2);
  for (let end = 0; end < 60; end++) {
    stream.set(start + "| 3 |\n\nmore **text** - ".repeat(3).slice(0, end));
    INTRUDERS.translator(place);
  }
  stream.finish();
  assert.equal(kept.length, 16);
  assert.deepEqual([...place.querySelectorAll("font")].slice(0, kept.length), kept);
});

test("code with somebody else's elements in it is not coloured: their text is none of the code", async () => {
  const place = container();
  renderInto(place, "```py\ndef f(): pass\n```\n\n```py\ndef g(): pass\n```");
  const [first, second] = place.querySelectorAll("code");
  INTRUDERS.dictionary(/** @type {Element} */ (first));
  const end = Date.now() + 5_000;
  while (!second?.querySelector("span.hljs-keyword")) {
    assert.ok(Date.now() < end, "never coloured");
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(first?.querySelector("[class^=hljs]"), null);
  assert.equal(withoutIntruders(/** @type {Element} */ (first)).textContent, "def f(): pass\n");
});

test("a text that a highlighter has split is put together again when it grows", () => {
  const place = container();
  const stream = new MarkdownStream(place, { pace: AT_ONCE });
  stream.set("before *it* ha");
  INTRUDERS.highlighter(place);
  const before = place.querySelector("mark");
  stream.set("before *it* hat");
  assert.equal(place.textContent, "before it hat");
  assert.equal(place.querySelectorAll("mark").length, 2);
  assert.equal(place.querySelector("mark"), before);
});
