/**
 * Joins the two parts of a list, a table or a code block that was cut.
 *
 * @module
 * @import { ElementNode, TreeNode } from "ds/ui/markdown/nodes.js"
 */

/**
 * @param {ElementNode} block
 * @param {ElementNode} rest parsed with the cut's lead before it
 * @returns {ElementNode} the whole block; its first items, rows and nodes are the objects in `block`
 */
export function join(block, rest) {
  if (block.tag !== "div") return joinLists(block, rest);
  return block.attributes.class === "code" ? joinCode(block, rest) : joinTables(block, rest);
}

/**
 * @param {ElementNode} list
 * @param {ElementNode} rest with the cut's lead as its first item
 */
function joinLists(list, rest) {
  const children = [...list.children, ...rest.children.slice(1)];
  const loose = Boolean(list.loose || rest.loose);
  return markLoose({ tag: list.tag, attributes: { ...list.attributes }, children, loose });
}

/**
 * Marks a loose list with a class, as the server does: only if an item has a paragraph. (The lead has one, the others may not.)
 *
 * @param {ElementNode} list
 */
export function markLoose(list) {
  const shows = list.children.some((item) => "tag" in item && item.children.some(isParagraph));
  if (list.loose && shows) list.attributes.class = "loose";
  else delete list.attributes.class;
  return list;
}

/** @param {TreeNode} node */
function isParagraph(node) {
  return "tag" in node && node.tag === "p";
}

/**
 * @param {ElementNode} whole a table in its frame
 * @param {ElementNode} rest a table with the same head, in its frame
 */
function joinTables(whole, rest) {
  const [table, next] = [whole.children[0], rest.children[0]];
  if (!table || !next || !("tag" in table) || !("tag" in next)) return rest;
  const [head, body] = table.children;
  const rows = next.children[1];
  if (!head || !body || !("tag" in body)) return rest;
  const children = [...body.children, ...(rows && "tag" in rows ? rows.children : [])];
  return { ...whole, children: [{ ...table, children: [head, { ...body, children }] }] };
}

/**
 * @param {ElementNode} whole code in its frame
 * @param {ElementNode} rest
 */
function joinCode(whole, rest) {
  const [bar, pre] = whole.children;
  const next = rest.children[1];
  if (!bar || !pre || !("tag" in pre) || !next) return rest;
  const code = /** @type {ElementNode} */ (pre.children[0]);
  const text = textIn(pre) + textIn(next);
  const children = text ? [{ text }] : [];
  return { ...whole, children: [bar, { ...pre, children: [{ ...code, children }] }] };
}

/**
 * @param {TreeNode} node
 * @returns {string}
 */
function textIn(node) {
  return "text" in node ? node.text : node.children.map(textIn).join("");
}
