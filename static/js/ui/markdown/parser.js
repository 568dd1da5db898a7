/**
 * The Markdown parser: markdown-it's default rules without HTML; links to http, https and mailto only.
 * chatapp/pages/markdown.py parses in the same way on the server.
 *
 * @module
 */

import MarkdownIt from "markdown-it";

/** @typedef {ReturnType<InstanceType<typeof MarkdownIt>["parse"]>[number]} Token */
/** The link definitions so far, by label. @typedef {Record<string, {title: string, href: string}>} References */

const SCHEME = /^(?:https?|mailto):/i;

const SPACE_AT_ENDS = /^[\t\n\v\f\r\p{Zs}\u2028\u2029]+|[\t\n\v\f\r\p{Zs}\u2028\u2029]+$/gu;

const BOM = "\u{feff}"; // invisible; this parser takes it for a space, the server's for a letter

const parser = new MarkdownIt("default", { html: false, linkify: false, maxNesting: 100 });
parser.validateLink = (url) => SCHEME.test(url) && isUrl(url);

// The server's parser strips all kinds of spaces from the ends of a paragraph, this one only ASCII spaces.
parser.core.ruler.after("block", "trim", ({ tokens }) => {
  for (const token of tokens) {
    if (token.type === "inline") token.content = token.content.replace(SPACE_AT_ENDS, "");
  }
});

/**
 * Returns the text's tokens. Adds its link definitions to `references`; the first of a label counts.
 *
 * @param {string} text
 * @param {References} references
 */
export function parse(text, references) {
  return parser.parse(text.replaceAll(BOM, ""), { references });
}

/** @param {string} url */
function isUrl(url) {
  try {
    return new URL(url) !== null;
  } catch {
    return false;
  }
}
