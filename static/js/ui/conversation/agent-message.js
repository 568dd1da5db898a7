/**
 * The element of an agent's message: its parts are streamed into it, reasoning is folded away.
 *
 * @module
 * @import { Message, TimelinePart } from "ds/core/timeline-types.js"
 */

import { fromTemplate, getSlot } from "ds/ui/lib/dom.js";
import { showTime } from "ds/ui/lib/local-time.js";
import { sentence } from "ds/ui/lib/strings.js";
import { colourCode } from "ds/ui/markdown/highlight.js";
import { MarkdownStream } from "ds/ui/markdown/stream.js";

/** @typedef {{type: string, element: HTMLElement, stream: MarkdownStream}} PartView one part of the message */

export class AgentMessage {
  /** @type {PartView[]} */
  #parts = [];
  /** True while the parts are the server's nodes, without streams. */
  #isStatic = false;

  /**
   * @param {Message} message
   * @param {HTMLElement} [present] the element that the server has rendered, if it has
   */
  constructor(message, present) {
    this.element = present ?? this.#create(message);
    this.place = getSlot(this.element, "parts");
    showTime(this.element, message.at);
    if (!present) this.update(message);
    else if (message.state === "open") this.#continue(message);
    else this.#adopt(message);
  }

  /** @param {Message} message in its present state */
  update(message) {
    if (this.#isStatic) this.#clear(); // a later Event changed a message of a page that was rendered before
    this.element.dataset.state = message.state;
    const hasEnded = message.state !== "open";
    message.parts.forEach((part, index) => {
      const view = this.#viewOf(index, part);
      view.stream.set(part.text);
      if (hasEnded || index < message.parts.length - 1) view.stream.finish();
    });
    for (const removed of this.#parts.splice(message.parts.length)) removed.element.remove();
  }

  /** @param {Message} message */
  #create({ id, actor }) {
    const element = fromTemplate("agent-message");
    element.dataset.message = id;
    getSlot(element, "author").textContent = actor.name;
    return element;
  }

  /**
   * Streams on into the elements in which the server has rendered the beginning.
   *
   * @param {Message} message
   */
  #continue(message) {
    /** @type {NodeListOf<HTMLElement>} */
    const elements = this.place.querySelectorAll("[data-part]");
    const types = [...elements].map((element) => element.dataset.part);
    if (message.parts.every(({ type }, index) => type === types[index]))
      this.#parts = [...elements].map((element) => this.#createView(element.dataset.part ?? "", element));
    else this.#clear(); // somebody else has changed the page
    this.update(message);
  }

  /**
   * Keeps the nodes of a message that the server has rendered whole. A text that the server left as it was written is formatted here.
   *
   * @param {Message} message
   */
  #adopt(message) {
    this.#isStatic = true;
    if (this.place.querySelector("[data-unformatted]")) this.update(message);
    else void colourCode(this.place);
  }

  #clear() {
    this.#isStatic = false;
    this.place.replaceChildren();
  }

  /**
   * @param {number} index
   * @param {TimelinePart} part
   * @returns {PartView}
   */
  #viewOf(index, { type }) {
    const present = this.#parts[index];
    if (present?.type === type) return present;
    const created = this.#createView(type, fromTemplate(type));
    if (present) present.element.replaceWith(created.element);
    else this.place.append(created.element);
    this.#parts[index] = created;
    return created;
  }

  /**
   * @param {string} type
   * @param {HTMLElement} element
   * @returns {PartView}
   */
  #createView(type, element) {
    const body = element.dataset.slot === "body" ? element : getSlot(element, "body");
    return { type, element, stream: new MarkdownStream(body, { words: { copy: sentence("copy") } }) };
  }
}
