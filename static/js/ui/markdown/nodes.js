/**
 * The plain nodes between Markdown's tokens and the page's elements.
 *
 * @module
 */

/** `dom` is where the node stands in the page, once it does. @typedef {{text: string, dom?: Text}} TextNode */
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
