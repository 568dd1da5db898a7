/**
 * Renders Markdown while it streams, or at once (docs/reference/javascript-client.md). Makes nodes, never HTML text.
 *
 *     const stream = new MarkdownStream(container);
 *     stream.set(text);   // the whole text so far, as often as you like
 *     stream.finish();    // the text is complete
 *
 * `listenForCopyCode` of ds/ui/markdown/copy-code.js makes the copy buttons of code blocks work.
 *
 * @module
 * @import { TreeNode } from "ds/ui/markdown/nodes.js"
 * @import { Words } from "ds/ui/markdown/tree.js"
 */

import { Blocks } from "ds/ui/markdown/blocks.js";
import { colourCode } from "ds/ui/markdown/highlight.js";
import { parse } from "ds/ui/markdown/parser.js";
import { patchChildren } from "ds/ui/markdown/patch.js";
import { tree } from "ds/ui/markdown/tree.js";

export const SLOW_MS = 8; // half a frame; after a slower flush the next one waits
export const REST = 4; // that many times as long as the flush took

/** @type {Words} */
const ENGLISH = { copy: "Copy" };

/**
 * The timing of flushes; tests pass their own. `now` is in ms.
 *
 * @typedef {{frame(callback: () => void): void, later(callback: () => void, ms: number): void, now(): number}} Pace
 */

/** @type {Pace} */
const PAGE_PACE = {
  frame: (callback) => void requestAnimationFrame(callback),
  later: (callback, ms) => void setTimeout(callback, ms),
  now: () => performance.now(),
};

export class MarkdownStream {
  #text = "";
  #shown = "";
  #scheduled = false;
  #ended = false;
  #notBefore = 0;
  /** @type {TreeNode[]} */
  #nodes = [];
  #blocks;

  /**
   * @param {Element} container is emptied at the first text; after that, what others change in it is left alone as far as the text allows
   * @param {{words?: Words, pace?: Pace, onFlush?: () => void}} [options] `onFlush` is called after each change of the page
   */
  constructor(container, { words = ENGLISH, pace = PAGE_PACE, onFlush = () => {} } = {}) {
    this.container = container;
    this.pace = pace;
    this.onFlush = onFlush;
    this.#blocks = new Blocks(words);
  }

  /**
   * Shows this text on the next animation frame, or later if the last flush was slow.
   *
   * @param {string} text the whole text so far
   */
  set(text) {
    this.#text = text;
    this.#ended = false;
    if (this.#scheduled) return;
    this.#scheduled = true;
    const wait = this.#notBefore - this.pace.now();
    const flush = () => this.#scheduled && this.#flush();
    if (wait > 0) this.pace.later(() => this.pace.frame(flush), wait);
    else this.pace.frame(flush);
  }

  /** Shows the text now, as complete, and colours its code. */
  finish() {
    this.#ended = true;
    this.#flush();
    void colourCode(this.container);
  }

  #flush() {
    const began = this.pace.now();
    this.#scheduled = false;
    if (this.#text === this.#shown && !this.#ended) return;
    if (this.#nodes.length === 0) this.container.replaceChildren();
    const nodes = this.#blocks.read(this.#text, this.#ended);
    patchChildren(this.container, this.#nodes, nodes);
    // A code block is coloured when the block after it has begun.
    if (nodes.length !== this.#nodes.length) {
      const last = nodes.at(-1);
      void colourCode(this.container, { except: last && "tag" in last ? last.dom : null });
    }
    this.#nodes = nodes;
    this.#shown = this.#text;
    const took = this.pace.now() - began;
    this.#notBefore = took > SLOW_MS ? began + took + took * REST : 0;
    this.onFlush();
  }
}

/**
 * Renders the whole text into the container, in place of its content.
 *
 * @param {Element} container
 * @param {string} text
 * @param {Words} [words]
 */
export function renderInto(container, text, words = ENGLISH) {
  container.replaceChildren();
  patchChildren(container, [], tree(parse(text, {}), words));
  void colourCode(container);
}
