/**
 * Reads a JSON list of texts from stdin and prints a JSON list of their HTML (tests/plain/test_markdown.py). With the argument
 * `pieces`, prints the pieces that random texts are made of.
 */

import { readFileSync } from "node:fs";
import { parse } from "ds/ui/markdown/parser.js";
import { tree } from "ds/ui/markdown/tree.js";
import { htmlOfTree } from "./dom.js";
import { PIECES } from "./markdown_texts.js";

if (process.argv[2] === "pieces") {
  console.log(JSON.stringify(PIECES));
} else {
  const texts = JSON.parse(readFileSync(0, "utf8"));
  const render = (/** @type {string} */ text) => htmlOfTree(tree(parse(text, {}), { copy: "Copy" }));
  console.log(JSON.stringify(texts.map(render)));
}
