/**
 * Finds where a growing text can be cut: whatever follows, the text before the cut will be parsed in the same way.
 *
 * Markdown closes blocks line by line: in whole lines, every block but the last is final. In a list, all items but the last are
 * final; in a table, all rows but the last; in an open code block, all lines.
 *
 * @module
 * @import { Token } from "ds/ui/markdown/parser.js"
 */

/**
 * `lead` is put before the rest, so that the parser takes it for the next item, row or line of code. In the result, the lead is the
 * list's first item or the table's head.
 *
 * @typedef {{line: number, inside: "list" | "table" | "code" | null, lead: string}} Cut
 */

const MARKER = /^[ \t]*(?:[-+*]|\d{1,9}[.)])/;

/**
 * @param {readonly Token[]} tokens of `lines`, all of which are whole
 * @param {readonly string[]} lines
 * @param {number} lead the number of lines at the top that are an earlier cut's `lead`
 * @returns {Cut | null} null: nothing is final yet
 */
export function findCut(tokens, lines, lead) {
  const blocks = tokens.filter((token) => token.level === 0 && token.nesting >= 0 && token.map);
  const last = blocks.at(-1);
  if (!last?.map) return null;
  const inside = cutInside(tokens, last, lines);
  if (inside && inside.line > lead) return inside;
  const end = blocks.at(-2)?.map?.[1];
  if (end === undefined) return null;
  let line = last.map[0];
  // Lines outside of blocks are definitions of links. One right before a paragraph may still turn out to go on in it.
  while (line > end && lines[line - 1]?.trim()) line--;
  return { line, inside: null, lead: "" };
}

/**
 * @param {readonly Token[]} tokens
 * @param {Token} block
 * @param {readonly string[]} lines
 */
function cutInside(tokens, block, lines) {
  if (block.type === "fence") return lineCut(block, lines);
  return block.type === "table_open" ? rowCut(tokens, block, lines) : itemCut(tokens, block, lines);
}

/**
 * @param {Token} fence
 * @param {readonly string[]} lines
 * @returns {Cut | null}
 */
function lineCut(fence, lines) {
  const [start, end] = fence.map ?? [0, 0];
  const isOpen = end - start - 1 === fence.content.split("\n").length - 1;
  const opening = lines[start] ?? "";
  // An opening with a bar in it would be a table's head if the first line of code looks like the rule below a head.
  if (!isOpen || end - start < 2 || opening.includes("|")) return null;
  return { line: end, inside: "code", lead: `${opening}\n` };
}

/**
 * @param {readonly Token[]} tokens
 * @param {Token} list
 * @param {readonly string[]} lines
 * @returns {Cut | null}
 */
function itemCut(tokens, list, lines) {
  const items = tokens
    .slice(tokens.indexOf(list))
    .filter((token) => token.type === "list_item_open" && token.level === 1);
  const line = items.at(-1)?.map?.[0];
  const marker = MARKER.exec(lines[line ?? -1] ?? "");
  if (items.length < 2 || line === undefined || !marker) return null;
  return { line, inside: "list", lead: `${marker[0]} x\n` };
}

/**
 * @param {readonly Token[]} tokens
 * @param {Token} table
 * @param {readonly string[]} lines
 * @returns {Cut | null}
 */
function rowCut(tokens, table, lines) {
  const body = tokens.findIndex((token, i) => i > tokens.indexOf(table) && token.type === "tbody_open");
  const rows = body < 0 ? [] : tokens.slice(body).filter((token) => token.type === "tr_open");
  const line = rows.at(-1)?.map?.[0];
  const head = table.map?.[0];
  if (rows.length < 2 || line === undefined || head === undefined) return null;
  return { line, inside: "table", lead: `${lines[head]}\n${lines[head + 1]}\n` };
}
