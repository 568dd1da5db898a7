/**
 * Parses a growing text block by block: final blocks are parsed once and keep their nodes, only the rest is parsed again.
 *
 * @module
 * @import { Cut } from "ds/ui/markdown/cut.js"
 * @import { References } from "ds/ui/markdown/parser.js"
 * @import { ElementNode, TreeNode } from "ds/ui/markdown/nodes.js"
 * @import { Words } from "ds/ui/markdown/tree.js"
 */

import { findCut } from "ds/ui/markdown/cut.js";
import { join, markLoose } from "ds/ui/markdown/join.js";
import { parse } from "ds/ui/markdown/parser.js";
import { tree } from "ds/ui/markdown/tree.js";

export class Blocks {
  #text = "";
  /** @type {References} */
  #references = {};
  /** Where the text begins that is not final. */
  #start = 0;
  /** Up to where the text was searched for a cut. */
  #searched = 0;
  /** The nodes of final blocks. @type {TreeNode[]} */
  #closed = [];
  /** The last list, table or code block, if its first items, rows or lines are final. @type {ElementNode | null} */
  #open = null;
  #lead = "";

  /** @param {Words} words */
  constructor(words) {
    this.words = words;
  }

  /**
   * Returns the nodes of the whole text. Nodes of final blocks, items and rows are the same objects as in the last call.
   *
   * @param {string} text the whole text so far; if it does not continue the last one, it is parsed anew
   * @param {boolean} ended the text is complete: its last line counts although it has no line break
   */
  read(text, ended = false) {
    const clean = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
    // Not startsWith, which V8 computes character by character: 0.3 ms for 60 KB, at every token.
    if (clean.slice(0, this.#text.length) !== this.#text) {
      this.#references = {};
      this.#reset();
    }
    this.#text = clean;
    const whole = clean.lastIndexOf("\n") + 1;
    while (whole > this.#searched) this.#advance(whole);
    const references = { ...this.#references };
    const rest = parse(this.#lead + clean.slice(this.#start), references);
    const late = ended && size(references) > size(this.#references) && this.#mayRefer(this.#start);
    if (late) return tree(parse(clean, {}), this.words);
    return [...this.#closed, ...this.#joined(tree(rest, this.words))];
  }

  #reset() {
    this.#start = this.#searched = 0;
    this.#closed = [];
    this.#open = null;
    this.#lead = "";
  }

  /**
   * Moves the start behind the text that is final.
   *
   * @param {number} whole the end of the last whole line
   */
  #advance(whole) {
    this.#searched = whole;
    const region = this.#lead + this.#text.slice(this.#start, whole);
    const lines = region.split("\n");
    const cut = findCut(parse(region, { ...this.#references }), lines, this.#lead.split("\n").length - 1);
    if (!cut) return;
    const final = region.slice(
      0,
      lines.slice(0, cut.line).reduce((sum, line) => sum + line.length + 1, 0),
    );
    const known = size(this.#references);
    // Parsed with one more item, or the list would not know whether its last item is loose.
    const read = cut.inside === "list" ? final + cut.lead : final;
    const nodes = this.#joined(tree(parse(read, this.#references), this.words));
    if (size(this.#references) > known && this.#mayRefer(this.#start)) {
      this.#reset(); // a link above has its definition now: parse again from the top
      return;
    }
    this.#start += final.length - this.#lead.length;
    this.#keep(nodes, cut);
  }

  /**
   * @param {TreeNode[]} nodes
   * @param {Cut} cut
   */
  #keep(nodes, cut) {
    const open = cut.inside ? nodes.pop() : null;
    this.#closed.push(...nodes);
    this.#open = open && "tag" in open ? open : null;
    this.#lead = cut.lead;
    if (cut.inside !== "list" || !this.#open) return;
    this.#open.children.pop();
    markLoose(this.#open);
  }

  /**
   * Joins the first node to the open block that it continues.
   *
   * @param {TreeNode[]} nodes
   */
  #joined(nodes) {
    const [first, ...others] = nodes;
    if (!this.#open || !first || !("tag" in first)) return nodes;
    return [join(this.#open, first), ...others];
  }

  /**
   * Returns whether there may be a link before `end` without its definition.
   *
   * @param {number} end
   */
  #mayRefer(end) {
    return this.#text.lastIndexOf("[", end - 1) >= 0 && end > 0;
  }
}

/** @param {References} references */
function size(references) {
  return Object.keys(references).length;
}
