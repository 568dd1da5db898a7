/**
 * The page's sentences in the reader's language, which the server has written into the page (chatapp/pages/strings.py).
 *
 * @module
 */

import { readJson } from "ds/ui/lib/dom.js";

/** @type {Record<string, string> | undefined} */
let sentences;

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values] for the names in braces
 */
export function sentence(key, values = {}) {
  sentences ??= /** @type {Record<string, string>} */ (readJson("strings") ?? {});
  const template = sentences[key] ?? key;
  return template.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}
