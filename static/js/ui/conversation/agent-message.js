/**
 * What an agent says, on the screen: its parts stream in, reasoning folded away.
 *
 * @module
 * @import { Message, TimelinePart } from "ds/core/timeline-types.js"
 */

import { showTime } from "ds/ui/lib/clock.js";
import { slot, stencil } from "ds/ui/lib/dom.js";
import { say } from "ds/ui/lib/strings.js";
import { colourCode } from "ds/ui/markdown/highlight.js";
import { MarkdownStream } from "ds/ui/markdown/stream.js";

/** @typedef {{type: string, element: HTMLElement, stream: MarkdownStream}} Shown one part */

export class Answered {
  /** @type {Shown[]} */
  #parts = [];
  #adopted = false;

  /**
   * @param {Message} message
   * @param {HTMLElement} [there] the element that the server drew, if it did
   */
  constructor(message, there) {
    this.element = there ?? this.#draw(message);
    this.place = slot(this.element, "parts");
    showTime(this.element, message.at);
    if (!there) this.update(message);
    else if (message.state === "open") this.#takeOver(message);
    else this.#adopt();
  }

  /** @param {Message} message as it is now */
  update(message) {
    if (this.#adopted) this.#startAnew(); // it changed after all: a later event of a page that was read before
    this.element.dataset.state = message.state;
    const ended = message.state !== "open";
    message.parts.forEach((part, index) => {
      const shown = this.#shown(index, part);
      shown.stream.set(part.text);
      if (ended || index < message.parts.length - 1) shown.stream.finish();
    });
    for (const gone of this.#parts.splice(message.parts.length)) gone.element.remove();
  }

  /** @param {Message} message */
  #draw({ id, actor }) {
    const element = stencil("answered");
    element.dataset.message = id;
    slot(element, "who").textContent = actor.name;
    return element;
  }

  /**
   * The server drew the beginning of what is still being written: the stream goes on in the same places.
   *
   * @param {Message} message
   */
  #takeOver(message) {
    const places = [...this.place.children];
    message.parts.forEach(({ type }, index) => {
      const element = places[index];
      if (element instanceof HTMLElement && element.dataset.part === type)
        this.#parts.push(this.#part(type, element));
    });
    this.update(message);
  }

  /** The server drew it whole: the page keeps its nodes. */
  #adopt() {
    this.#adopted = true;
    void colourCode(this.place);
  }

  #startAnew() {
    this.#adopted = false;
    this.place.replaceChildren();
  }

  /**
   * @param {number} index
   * @param {TimelinePart} part
   * @returns {Shown}
   */
  #shown(index, { type }) {
    const there = this.#parts[index];
    if (there?.type === type) return there;
    const made = this.#part(type, stencil(type));
    if (there) there.element.replaceWith(made.element);
    else this.place.append(made.element);
    this.#parts[index] = made;
    return made;
  }

  /**
   * @param {string} type
   * @param {HTMLElement} element
   * @returns {Shown}
   */
  #part(type, element) {
    const body = element.dataset.slot === "body" ? element : slot(element, "body");
    return { type, element, stream: new MarkdownStream(body, { words: { copy: say("copy") } }) };
  }
}
