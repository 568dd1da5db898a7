/**
 * Changes the page from one tree to the next. Touches only what differs: a finished block keeps its nodes and a selection in it.
 *
 * The page is not ours alone: a browser's translator puts `<font>` in the place of a text, and extensions split, wrap and replace
 * nodes. What they changed is left alone while its text stays the same. When it is to change, it is built anew, with what follows it
 * in its element.
 *
 * @module
 * @import { ElementNode, TextNode, TreeNode } from "ds/ui/markdown/nodes.js"
 */

/**
 * @param {Element} parent
 * @param {readonly TreeNode[]} before the present content of `parent`
 * @param {readonly TreeNode[]} after the new content
 */
export function patchChildren(parent, before, after) {
  for (const [index, next] of after.entries()) {
    const old = before[index];
    if (old === next) continue;
    if (!old) parent.append(build(next, parent.ownerDocument));
    else if (!patch(parent, old, next)) return rebuild(parent, after, index);
  }
  for (const old of before.slice(after.length)) {
    if (!isIntact(parent, old)) return rebuild(parent, after, after.length);
    old.dom?.remove();
  }
}

/**
 * @param {Element} parent
 * @param {TreeNode} old
 * @param {TreeNode} next
 * @returns {boolean} false: somebody else has changed the page there, and `next` is not on it
 */
function patch(parent, old, next) {
  if ("text" in old && "text" in next) return patchText(parent, old, next);
  if ("tag" in old && "tag" in next && old.tag === next.tag) return patchElement(parent, old, next);
  if (!isIntact(parent, old)) return false;
  old.dom?.replaceWith(build(next, parent.ownerDocument));
  return true;
}

/**
 * @param {Element} parent
 * @param {TextNode} old
 * @param {TextNode} next
 */
function patchText(parent, old, next) {
  if (!old.dom) return false;
  next.dom = old.dom;
  if (next.text === old.text) return true;
  if (!isIntact(parent, old)) return false;
  // appendData keeps a selection in the text; setting the whole text would not.
  if (next.text.slice(0, old.text.length) === old.text) next.dom.appendData(next.text.slice(old.text.length));
  else next.dom.data = next.text;
  return true;
}

/**
 * @param {Element} parent
 * @param {ElementNode} old
 * @param {ElementNode} next
 */
function patchElement(parent, old, next) {
  if (!old.dom || !isIntact(parent, old)) return false;
  next.dom = old.dom;
  patchAttributes(next.dom, old.attributes, next.attributes);
  patchChildren(next.dom, old.children, next.children);
  return true;
}

/**
 * Builds the content anew from `index` on, and from further up if the nodes before it are not in their place either.
 *
 * @param {Element} parent
 * @param {readonly TreeNode[]} after
 * @param {number} index
 */
function rebuild(parent, after, index) {
  const last = after.slice(0, index).findLastIndex((node) => isIntact(parent, node));
  const kept = after[last]?.dom;
  if (kept) removeAfter(kept, parent);
  else parent.replaceChildren();
  parent.append(...after.slice(last + 1).map((node) => build(node, parent.ownerDocument)));
}

/**
 * Removes what comes after the node in `parent`, at every depth: the node may be in somebody else's element.
 *
 * @param {Node} node
 * @param {Element} parent
 */
function removeAfter(node, parent) {
  for (let at = node; at !== parent; at = /** @type {Node} */ (at.parentNode)) {
    while (at.nextSibling) at.parentNode?.removeChild(at.nextSibling);
  }
}

/**
 * Returns whether the node is still in `parent`, with the text that was put there.
 *
 * @param {Element} parent
 * @param {TreeNode} node
 */
function isIntact(parent, node) {
  if ("text" in node && node.dom?.data !== node.text) return false;
  return node.dom !== undefined && parent.contains(node.dom);
}

/**
 * @param {Element} dom
 * @param {Record<string, string>} before
 * @param {Record<string, string>} after
 */
function patchAttributes(dom, before, after) {
  for (const name of Object.keys(before)) {
    if (!(name in after)) dom.removeAttribute(name);
  }
  for (const [name, value] of Object.entries(after)) {
    if (before[name] !== value) dom.setAttribute(name, value);
  }
}

/**
 * @param {TreeNode} node
 * @param {Document} document
 * @returns {Element | Text}
 */
function build(node, document) {
  if ("text" in node) {
    node.dom = document.createTextNode(node.text);
    return node.dom;
  }
  node.dom = document.createElement(node.tag);
  patchAttributes(node.dom, {}, node.attributes);
  for (const child of node.children) node.dom.append(build(child, document));
  return node.dom;
}
