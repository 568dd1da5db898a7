/**
 * The page's sentences, in the reader's language: the server wrote them into the page (chatapp/pages/strings.py).
 *
 * @module
 */

import { embedded } from "ds/ui/lib/dom.js";

/** @type {Record<string, string> | undefined} */
let sentences;

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values] for the names in braces
 */
export function say(key, values = {}) {
  sentences ??= /** @type {Record<string, string>} */ (embedded("strings") ?? {});
  const sentence = sentences[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}
