/**
 * Turns Markdown's tokens into a tree. chatapp/pages/markdown.py makes the same HTML on the server; tests/fixtures/markdown holds both
 * together.
 *
 * @module
 * @import { Token } from "ds/ui/markdown/parser.js"
 * @import { ElementNode, TreeNode } from "ds/ui/markdown/nodes.js"
 */

import { inlineNodes } from "ds/ui/markdown/inline.js";
import { element } from "ds/ui/markdown/nodes.js";

/** Texts in the page's language. @typedef {{copy: string}} Words */

const LANGUAGE = /^[ \t]*([A-Za-z0-9_+#.-]+)/;
/** @type {Record<string, string>} */
const COLUMN = { "text-align:left": "left", "text-align:center": "center", "text-align:right": "right" };

/**
 * @param {readonly Token[]} tokens
 * @param {Words} words
 * @returns {TreeNode[]} one node for each block
 */
export function tree(tokens, words) {
  const root = element("root");
  const open = [root];
  const top = () => /** @type {ElementNode} */ (open.at(-1));
  for (const token of tokens) {
    if (token.type === "inline") {
      top().children.push(...inlineNodes(token.children ?? []));
    } else if (token.nesting === -1) {
      open.pop();
    } else if (token.type === "fence" || token.type === "code_block") {
      top().children.push(codeBlock(token, words));
    } else {
      const made = addElement(token, open);
      if (token.nesting === 1) open.push(made);
    }
  }
  return root.children;
}

/**
 * Adds the element of a token to the innermost open element, and returns it.
 *
 * @param {Token} token
 * @param {ElementNode[]} open
 */
function addElement(token, open) {
  const parent = /** @type {ElementNode} */ (open.at(-1));
  const made = element(tagOf(token), attributesOf(token));
  if (token.type === "paragraph_open" && !token.hidden && parent.tag === "li") {
    // A class makes a list loose. Its paragraphs are <p> in tight lists, too: an item on the screen stays as it is when its list
    // becomes loose.
    const list = open.at(-2);
    if (list) {
      list.loose = true;
      list.attributes.class = "loose";
    }
  }
  parent.children.push(
    token.type === "table_open" ? element("div", { class: "table", tabindex: "0" }, [made]) : made,
  );
  return made;
}

/**
 * Returns the tag. Headings go one level down, since h1 is the page's title.
 *
 * @param {Token} token
 */
function tagOf(token) {
  return token.type === "heading_open" ? `h${Math.min(Number(token.tag[1]) + 1, 6)}` : token.tag;
}

/** @param {Token} token */
function attributesOf(token) {
  /** @type {Record<string, string>} */
  const attributes = {};
  const start = token.type === "ordered_list_open" ? token.attrGet("start") : null;
  if (start !== null) attributes.start = String(start);
  const side = COLUMN[String(token.attrGet("style"))];
  if (side) attributes.class = side; // the page's Content Security Policy forbids style attributes
  return attributes;
}

/**
 * @param {Token} token
 * @param {Words} words
 */
function codeBlock(token, words) {
  const language = LANGUAGE.exec(token.info)?.[1] ?? "";
  const kind = language ? { class: `language-${language}` } : {};
  const code = element("code", { ...kind, translate: "no" }, texts(token.content));
  return element("div", { class: "code" }, [
    element("div", { class: "code-bar" }, [
      element("span", { class: "code-language" }, texts(language)),
      element("button", { class: "code-copy", type: "button" }, texts(words.copy)),
    ]),
    element("pre", { tabindex: "0" }, [code]),
  ]);
}

/**
 * @param {string} text
 * @returns {TreeNode[]}
 */
function texts(text) {
  return text ? [{ text }] : [];
}
