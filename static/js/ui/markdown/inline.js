/**
 * Turns the inline tokens of a paragraph, a heading or a cell into nodes.
 *
 * @module
 * @import { Token } from "ds/ui/markdown/parser.js"
 * @import { ElementNode, TreeNode } from "ds/ui/markdown/nodes.js"
 */

const REL = "noopener noreferrer nofollow";

/**
 * @param {readonly Token[]} tokens
 * @returns {TreeNode[]}
 */
export function inlineNodes(tokens) {
  /** @type {ElementNode[]} */
  const open = [{ tag: "root", attributes: {}, children: [] }];
  for (const token of tokens) {
    const into = /** @type {ElementNode} */ (open.at(-1));
    if (token.nesting === 1) {
      open.push(addElement(token, into, open));
    } else if (token.nesting === -1) {
      open.pop();
    } else {
      add(into.children, leaf(token, open));
    }
  }
  return open[0]?.children ?? [];
}

/**
 * @param {Token} token
 * @param {ElementNode} into
 * @param {ElementNode[]} open
 * @returns {ElementNode}
 */
function addElement(token, into, open) {
  // HTML forbids a link in a link: the inner one becomes its text.
  if (token.type === "link_open" && isLinked(open)) return { ...into };
  const made = { tag: token.tag, attributes: attributesOf(token), children: [] };
  into.children.push(made);
  return made;
}

/** @param {ElementNode[]} open */
function isLinked(open) {
  return open.some(({ tag }) => tag === "a");
}

/**
 * @param {Token} token
 * @param {ElementNode[]} open
 * @returns {TreeNode}
 */
function leaf(token, open) {
  switch (token.type) {
    case "softbreak":
      return { text: "\n" };
    case "hardbreak":
      return { tag: "br", attributes: {}, children: [] };
    case "code_inline":
      return {
        tag: "code",
        attributes: { translate: "no" },
        children: token.content ? [{ text: token.content }] : [],
      };
    case "image":
      return image(token, open);
    default:
      return { text: token.content };
  }
}

/**
 * Returns a link in place of an image, or its text inside of another link. Loading the image would leak data to its server.
 *
 * @param {Token} token
 * @param {ElementNode[]} open
 * @returns {TreeNode}
 */
function image(token, open) {
  const address = String(token.attrGet("src") ?? "");
  const text = textOf(token.children ?? []) || address;
  if (isLinked(open)) return { text };
  const attributes = { class: "image", href: address, target: "_blank", rel: REL };
  return { tag: "a", attributes, children: [{ text }] };
}

/** @param {Token} token */
function attributesOf(token) {
  /** @type {Record<string, string>} */
  const attributes = {};
  if (token.type !== "link_open") return attributes;
  attributes.href = String(token.attrGet("href") ?? "");
  const title = token.attrGet("title");
  if (title) attributes.title = String(title);
  attributes.target = "_blank";
  attributes.rel = REL;
  return attributes;
}

/**
 * Adds a node. Joins it to a text before it, as a browser does that parses the server's HTML.
 *
 * @param {TreeNode[]} children
 * @param {TreeNode} node
 */
function add(children, node) {
  const last = children.at(-1);
  if (!("text" in node)) children.push(node);
  else if (last && "text" in last) last.text += node.text;
  else if (node.text) children.push(node);
}

/**
 * @param {readonly Token[]} tokens
 * @returns {string}
 */
function textOf(tokens) {
  return tokens
    .map((token) => {
      if (token.type === "image") return textOf(token.children ?? []);
      return token.type === "softbreak" || token.type === "hardbreak" ? "\n" : token.content;
    })
    .join("");
}
