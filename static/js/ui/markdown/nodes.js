/**
 * The tree between Markdown's tokens and the page's elements: plain values, which tests compare without a page.
 *
 * @module
 */

/** `dom`: the node on the page, once there is one. @typedef {{text: string, dom?: Text}} TextNode */
/**
 * @typedef {{tag: string, attributes: Record<string, string>, children: TreeNode[], dom?: Element, loose?: boolean}} ElementNode
 */
/** @typedef {ElementNode | TextNode} TreeNode */

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {TreeNode[]} children
 * @returns {ElementNode}
 */
export function element(tag, attributes = {}, children = []) {
  return { tag, attributes, children };
}
