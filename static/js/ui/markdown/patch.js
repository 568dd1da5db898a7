/**
 * Changes the page from one tree to the next. Touches only what differs: a finished block keeps its nodes and a selection in it.
 *
 * @module
 * @import { TreeNode } from "ds/ui/markdown/nodes.js"
 */

/**
 * @param {Element} parent
 * @param {readonly TreeNode[]} before the present content of `parent`
 * @param {readonly TreeNode[]} after the new content
 */
export function patchChildren(parent, before, after) {
  for (let i = 0; i < after.length; i++) {
    const old = before[i];
    const next = /** @type {TreeNode} */ (after[i]);
    if (old === next) continue;
    if (!old) parent.append(build(next, parent.ownerDocument));
    else patch(parent, old, next);
  }
  for (const old of before.slice(after.length)) old.dom?.remove();
}

/**
 * @param {Element} parent
 * @param {TreeNode} old
 * @param {TreeNode} next
 */
function patch(parent, old, next) {
  if ("text" in old && "text" in next && old.dom) {
    next.dom = old.dom;
    if (next.text === old.text) return;
    if (old.dom.parentNode !== parent) {
      // Colouring has replaced the text node by spans.
      parent.replaceChildren(build(next, parent.ownerDocument));
      return;
    }
    // appendData keeps a selection in the text; setting the whole text would not.
    if (next.text.slice(0, old.text.length) === old.text)
      next.dom.appendData(next.text.slice(old.text.length));
    else next.dom.data = next.text;
  } else if ("tag" in old && "tag" in next && old.tag === next.tag && old.dom) {
    next.dom = old.dom;
    patchAttributes(next.dom, old.attributes, next.attributes);
    patchChildren(next.dom, old.children, next.children);
  } else {
    const made = build(next, parent.ownerDocument);
    if (old.dom) old.dom.replaceWith(made);
    else parent.append(made);
  }
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
