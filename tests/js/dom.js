/**
 * A document to render into, without a browser.
 *
 * @import { TreeNode } from "ds/ui/markdown/nodes.js"
 */

import { parseHTML } from "linkedom";

/** @returns {Element} an empty container */
export function container() {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  return document.body.appendChild(document.createElement("div"));
}

const VOID = new Set(["br", "hr"]);

/**
 * Returns the HTML of the element's content. Attributes are sorted, because linkedom has them in another order than browsers.
 *
 * @param {Element} element
 * @returns {string}
 */
export function html(element) {
  return Array.from(element.childNodes, (node) => {
    if (node.nodeType === 3) return escaped(/** @type {Text} */ (node).data);
    const child = /** @type {Element} */ (node);
    const tag = child.localName;
    const attributes = Array.from(child.attributes, ({ name, value }) => attribute(name, value)).sort();
    return `<${tag}${attributes.join("")}>${VOID.has(tag) ? "" : `${html(child)}</${tag}>`}`;
  }).join("");
}

/**
 * Returns the HTML of a tree, as browsers and nh3 write it.
 *
 * @param {readonly TreeNode[]} nodes
 * @returns {string}
 */
export function htmlOfTree(nodes) {
  return nodes
    .map((node) => {
      if ("text" in node) return escaped(node.text);
      const attributes = Object.entries(node.attributes).map(([name, value]) => attribute(name, value));
      const end = VOID.has(node.tag) ? "" : `${htmlOfTree(node.children)}</${node.tag}>`;
      return `<${node.tag}${attributes.join("")}>${end}`;
    })
    .join("");
}

/**
 * @param {string} name
 * @param {string} value
 */
function attribute(name, value) {
  return ` ${name}="${escaped(value).replaceAll('"', "&quot;")}"`;
}

/** @param {string} text */
function escaped(text) {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("\u00a0", "&nbsp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
