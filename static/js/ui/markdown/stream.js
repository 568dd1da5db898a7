/**
 * Markdown on the page while it streams, and at once.
 *
 *     const stream = new MarkdownStream(container);
 *     stream.set(text);   // the whole text so far, as often as you like
 *     stream.finish();    // it is complete
 *
 * Never innerHTML. The page's other half is `listen` in ds/ui/markdown/copy-code.js: copy buttons and colours of code.
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

export const SLOW_MS = 8; // half a frame: a flush that took longer makes the next one wait
export const REST = 4; // for so many times its own length

/** @type {Words} */
const ENGLISH = { copy: "Copy" };

/**
 * When to flush, and what time it is; tests bring their own.
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
   * @param {Element} container becomes empty at the first text, and is the stream's from then on
   * @param {{words?: Words, pace?: Pace, onFlush?: () => void}} [options] `onFlush` runs after each change of the page
   */
  constructor(container, { words = ENGLISH, pace = PAGE_PACE, onFlush = () => {} } = {}) {
    this.container = container;
    this.pace = pace;
    this.onFlush = onFlush;
    this.#blocks = new Blocks(words);
  }

  /**
   * Show this text; on the next animation frame, or later when frames have been too slow.
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

  /** The text is whole: show it now, and colour its code. */
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
    // Code is coloured when the block after it has begun.
    if (nodes.length !== this.#nodes.length) {
      void colourCode(this.container, { except: this.container.lastElementChild });
    }
    this.#nodes = nodes;
    this.#shown = this.#text;
    const took = this.pace.now() - began;
    this.#notBefore = took > SLOW_MS ? began + took + took * REST : 0;
    this.onFlush();
  }
}

/**
 * Put the whole text into the container, in place of what was there.
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
