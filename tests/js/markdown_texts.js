/**
 * Markdown that is hard to parse piece by piece, and random mixtures of it.
 */

import { readFileSync } from "node:fs";

/** @type {{text: string, html: string}[]} */
export const FIXTURES = JSON.parse(
  readFileSync(new URL("../fixtures/markdown/hard.json", import.meta.url), "utf8"),
);
const HARD = FIXTURES.map(({ text }) => text);

/** The pieces of random texts. */
export const PIECES = [
  "<https://ä.example/é?x=%zz>",
  "[a](<b c>)",
  "(<https://x.y/a b>)",
  "&nbsp;",
  "&#0;",
  "&#x1F600;",
  "&bogus;",
  "https://x.y",
  '"t"',
  "\u00a0",
  "\u2028",
  "\u3000",
  "\u200b",
  "\ufeff",
  "\u0085",
  "\u001c",
  "\f",
  "\v",
  "\0",
  "\r\n",
  "[ẞ]: https://sz.example\n",
  "[ss]",
  "[SS]",
  "0. ",
  "999999999. ",
  "1234567890. ",
  "``",
  "(",
  ")",
  "](mailto:a@b.c)",
  "](//x.y)",
  "](https:x)",
  "](http://[::1]/)",
  "](http://xn--a)",
  "- ",
  "1. ",
  "2) ",
  "> ",
  "# ",
  "```\n",
  "~~~py\n",
  "| a | b |\n|---|---|\n",
  "| x | y |\n",
  "--|--\n",
  "***",
  "**",
  "*",
  "`",
  "[foo]",
  "[foo]: https://foo.example\n",
  "[bar]: https://bar.example 'T'\n",
  "[bar][foo]",
  "](https://x.y)",
  "[",
  "!",
  "\n",
  "\n",
  "\n\n",
  "\n\n",
  "  ",
  "    ",
  "   ",
  "\t",
  "word ",
  "word",
  "a | b\n",
  "---\n",
  "===\n",
  "\\",
  "<b>",
  "&amp;",
  "👍",
  "'title'\n",
  "+ ",
  "-\n",
  "_",
  "~~",
];

/**
 * Returns a generator that gives the same numbers for the same seed (mulberry32).
 *
 * @param {number} seed
 */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param {() => number} random */
export function randomText(random) {
  if (random() < 0.3) {
    const pick = () => HARD[Math.floor(random() * HARD.length)] ?? "";
    return pick() + (random() < 0.5 ? "\n" : "") + pick();
  }
  return Array.from(
    { length: 2 + Math.floor(random() * 30) },
    () => PIECES[Math.floor(random() * PIECES.length)],
  ).join("");
}
