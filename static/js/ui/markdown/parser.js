/**
 * Markdown as both sides read it: markdown-it's default rules without HTML, links to http, https and mailto only
 * (chatapp/pages/markdown.py is the server's half).
 *
 * @module
 */

import MarkdownIt from "markdown-it";

/** @typedef {ReturnType<InstanceType<typeof MarkdownIt>["parse"]>[number]} Token */
/** The link definitions met so far, by label. @typedef {Record<string, {title: string, href: string}>} References */

const SCHEME = /^(?:https?|mailto):/i;

const SPACE_AT_ENDS = /^[\t\n\v\f\r\p{Zs}\u2028\u2029]+|[\t\n\v\f\r\p{Zs}\u2028\u2029]+$/gu;

const MARK = "\u{feff}"; // is a space to this parser and a letter to the server's; nobody sees it

const parser = new MarkdownIt("default", { html: false, linkify: false, maxNesting: 100 });
parser.validateLink = (url) => SCHEME.test(url) && parses(url);

// The server's parser takes every kind of space from the ends of a paragraph, this one only the ASCII ones.
parser.core.ruler.after("block", "trim", ({ tokens }) => {
  for (const token of tokens) {
    if (token.type === "inline") token.content = token.content.replace(SPACE_AT_ENDS, "");
  }
});

/**
 * The text's tokens. Definitions of links in it are added to `references`; the first of a label counts.
 *
 * @param {string} text
 * @param {References} references
 */
export function parse(text, references) {
  return parser.parse(text.replaceAll(MARK, ""), { references });
}

/** @param {string} url */
function parses(url) {
  try {
    return new URL(url) !== null;
  } catch {
    return false;
  }
}
