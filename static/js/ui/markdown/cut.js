/**
 * Where a text that still grows can be cut: what is before the cut will never be read differently, whatever follows.
 *
 * Markdown's blocks are closed line by line, so with whole lines only, every block but the last is final. Within a list the
 * same holds for all items but the last, within a table for all rows but the last, within open code for all lines.
 *
 * @module
 * @import { Token } from "ds/ui/markdown/parser.js"
 */

/**
 * `lead` is put before the rest, so that it is read as what it is, the next item, row or line of code. It comes out again as
 * the list's first item, or as the table's head.
 *
 * @typedef {{line: number, inside: "list" | "table" | "code" | null, lead: string}} Cut
 */

const MARKER = /^[ \t]*(?:[-+*]|\d{1,9}[.)])/;

/**
 * @param {readonly Token[]} tokens of `lines`, all of which are whole
 * @param {readonly string[]} lines
 * @param {number} lead how many of the lines are an earlier cut's `lead`
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
  // Lines of no block are definitions of links. One that stands right before a paragraph may yet turn out to go on in it.
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
  // With a bar in it, the opening could be the head of a table when its first line of code looks like the rule below one.
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
