/**
 * Markdown as both sides read it: markdown-it's default rules without HTML, links to http, https and mailto only
 * (chatapp/markdown.py is the server's half).
 *
 * @module
 */

import MarkdownIt from "markdown-it";

/** @typedef {ReturnType<InstanceType<typeof MarkdownIt>["parse"]>[number]} Token */
/** The link definitions met so far, by label. @typedef {Record<string, {title: string, href: string}>} References */

const SCHEME = /^(?:https?|mailto):/i;

const parser = new MarkdownIt("default", { html: false, linkify: false, maxNesting: 100 });
parser.validateLink = (url) => SCHEME.test(url) && parses(url);

/**
 * The text's tokens. Definitions of links in it are added to `references`; the first of a label counts.
 *
 * @param {string} text
 * @param {References} references
 */
export function parse(text, references) {
  return parser.parse(text, { references });
}

/** @param {string} url */
function parses(url) {
  try {
    return new URL(url) !== null;
  } catch {
    return false;
  }
}
