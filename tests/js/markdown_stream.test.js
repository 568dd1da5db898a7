import assert from "node:assert/strict";
import { test } from "node:test";
import { MarkdownStream, renderInto } from "ds/ui/markdown/stream.js";
import { container, html } from "./dom.js";
import { FIXTURES, randomFrom, randomText } from "./markdown_texts.js";

const CASES = Number(process.env.CASES ?? 1_500);
const SEED = Number(process.env.SEED ?? 20_260_131);
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

test("streamed text equals text rendered at once, for hard texts cut everywhere", () => {
  for (const { text } of FIXTURES)
    assert.equal(
      streamed(text, () => 0),
      atOnce(text),
      JSON.stringify(text),
    );
});

test("streamed text equals text rendered at once, for random texts and cuts", () => {
  const random = randomFrom(SEED);
  for (let i = 0; i < CASES; i++) {
    const text = randomText(random);
    assert.equal(streamed(text, random), atOnce(text), `case ${i}: ${JSON.stringify(text)}`);
  }
});

test("finished blocks keep their nodes while the text grows", () => {
  const place = container();
  const stream = new MarkdownStream(place, { pace: AT_ONCE });
  const start = "para\n\n1. one\n2. two\n\n| a |\n|---|\n| 1 |\n| 2 |\n";
  stream.set(start);
  const kept = [...place.querySelectorAll("p, li, tr")];
  const text = place.querySelector("p")?.firstChild;
  for (let end = 0; end < 60; end++) stream.set(start + "| 3 |\n\nmore **text** - ".repeat(3).slice(0, end));
  stream.finish();
  assert.ok(kept.length >= 6);
  assert.deepEqual([...place.querySelectorAll("p, li, tr")].slice(0, kept.length), kept);
  assert.equal(place.querySelector("p")?.firstChild, text);
});

test("a list that becomes loose keeps its items", () => {
  const place = container();
  const stream = new MarkdownStream(place, { pace: AT_ONCE });
  stream.set("- a\n- b\n- c");
  const items = [...place.querySelectorAll("li")];
  stream.set("- a\n- b\n- c\n\n- d");
  assert.equal(place.querySelector("ul")?.className, "loose");
  assert.deepEqual([...place.querySelectorAll("li")].slice(0, 3), items);
});

test("a late definition makes the links above it and keeps the other blocks", () => {
  const place = container();
  const stream = new MarkdownStream(place, { pace: AT_ONCE });
  stream.set("plain\n\nsee [it]\n\nnext\n");
  const plain = place.firstElementChild;
  assert.equal(place.querySelector("a"), null);
  stream.set("plain\n\nsee [it]\n\nnext\n\n[it]: https://it.example\n\nafter\n");
  assert.equal(place.querySelector("a")?.getAttribute("href"), "https://it.example");
  assert.equal(place.firstElementChild, plain);
});

test("a text that does not continue the last one is parsed anew", () => {
  const place = container();
  const stream = new MarkdownStream(place, { pace: AT_ONCE });
  stream.set("[a]: https://a.example\n\n- one\n- two\n");
  stream.set("**other** [a]");
  stream.finish();
  assert.equal(html(place), "<p><strong>other</strong> [a]</p>");
});

test("flushes once per frame, and after a slow flush waits four times its length", () => {
  /** @type {(() => void)[]} */
  const frames = [];
  /** @type {[() => void, number][]} */
  const waits = [];
  let time = 0;
  let flushes = 0;
  const pace = {
    frame: (/** @type {() => void} */ callback) => void frames.push(callback),
    later: (/** @type {() => void} */ callback, /** @type {number} */ ms) => void waits.push([callback, ms]),
    now: () => (time += 10),
  };
  const stream = new MarkdownStream(container(), { pace, onFlush: () => flushes++ });
  for (const text of ["a", "ab", "abc"]) stream.set(text);
  assert.equal(frames.length, 1);
  frames.shift()?.();
  assert.equal(flushes, 1);
  stream.set("abcd");
  assert.equal(frames.length, 0);
  assert.equal(waits[0]?.[1], 30); // four times 10 ms, of which 10 have passed
  waits.shift()?.[0]();
  frames.shift()?.();
  assert.equal(flushes, 2);
});
