import assert from "node:assert/strict";
import { test } from "node:test";
import { LANGUAGES } from "ds/ui/markdown/highlight.js";
import { parse } from "ds/ui/markdown/parser.js";
import { renderInto } from "ds/ui/markdown/stream.js";
import { tree } from "ds/ui/markdown/tree.js";
import { container, html, htmlOfTree } from "./dom.js";
import { FIXTURES } from "./markdown_texts.js";

/** @param {string} text */
function rendered(text) {
  const place = container();
  renderInto(place, text);
  return place;
}

test("renders the fixtures as the server does", () => {
  for (const { text, html: expected } of FIXTURES) {
    assert.equal(htmlOfTree(tree(parse(text, {}), { copy: "Copy" })), expected, JSON.stringify(text));
  }
});

test("links go to http, https and mailto only, without a referrer", () => {
  const bad = [
    "javascript:alert(1)",
    "JaVaScRiPt:x",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "/x",
    "x",
    "//x.y",
  ];
  for (const address of bad) {
    assert.equal(
      rendered(`[a](${address}) <${address}>\n\n[a]: ${address}\n\n[a]`).querySelector("a"),
      null,
      address,
    );
  }
  for (const address of ["http://x.y", "https://x.y", "mailto:a@b.c"]) {
    const link = rendered(`[a](${address})`).querySelector("a");
    assert.equal(link?.getAttribute("rel"), "noopener noreferrer nofollow");
    assert.equal(link?.getAttribute("target"), "_blank");
  }
});

test("entities and escapes do not hide a bad address", () => {
  for (const text of [
    "[a](javascript&colon;alert(1))",
    "[a](&#106;avascript:x)",
    "[a](<java\tscript:x>)",
    "[a](\\javascript:x)",
  ]) {
    assert.equal(rendered(text).querySelector("a"), null, text);
  }
});

test("an image is a link and is never loaded", () => {
  const place = rendered(
    "![cat](https://x.y/cat.png) ![](https://x.y/z.png) ![d](data:image/png;base64,AAAA)",
  );
  assert.equal(place.querySelector("img"), null);
  assert.deepEqual(
    [...place.querySelectorAll("a.image")].map((link) => [link.textContent, link.getAttribute("href")]),
    [
      ["cat", "https://x.y/cat.png"],
      ["https://x.y/z.png", "https://x.y/z.png"],
    ],
  );
});

test("HTML is text", () => {
  const place = rendered(
    "<script>alert(1)</script> <img src=x onerror=alert(1)>\n\n<div onclick=x>\n\n```\n</code><script>\n```",
  );
  assert.equal(place.querySelector("script, img, [onclick], [onerror]"), null);
  assert.ok(place.textContent?.includes("<img src=x onerror=alert(1)>"));
});

test("there are no attributes but the allowed ones", () => {
  const allowed = new Set([
    "class",
    "href",
    "rel",
    "start",
    "tabindex",
    "target",
    "title",
    "translate",
    "type",
  ]);
  for (const { text } of FIXTURES) {
    for (const element of rendered(text).querySelectorAll("*")) {
      for (const { name } of Array.from(element.attributes)) assert.ok(allowed.has(name), name);
    }
  }
});

test("code is coloured by its language, and its text stays", async () => {
  const place = rendered("```py\ndef f(): return '<b>'\n```\n\n```nosuch\nx\n```");
  const text = place.textContent;
  const end = Date.now() + 5_000;
  while (!place.querySelector("span.hljs-keyword")) {
    assert.ok(Date.now() < end, "never coloured");
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(place.querySelector("b"), null);
  assert.equal(place.textContent, text);
  assert.equal(html(/** @type {Element} */ (place.querySelectorAll("code")[1])), "x\n");
});

test("every language can be loaded", async () => {
  for (const name of LANGUAGES) {
    const language = await import(`@highlightjs/cdn-assets/es/languages/${name}.min.js`);
    assert.equal(typeof language.default, "function", name);
  }
});
