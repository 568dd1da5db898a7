/**
 * The conversation on the screen: takes over what the server drew, and follows the Timeline.
 *
 * @module
 * @import { Changes, Message, Timeline } from "ds/core/timeline-types.js"
 * @import { Reader } from "ds/ui/conversation/run-status.js"
 * @import { Answer, Exchange } from "ds/ui/conversation/layout.js"
 */

import { Answered } from "ds/ui/conversation/agent-message.js";
import { isEmpty, layOut } from "ds/ui/conversation/layout.js";
import { statusElement } from "ds/ui/conversation/run-status.js";
import { saidElement } from "ds/ui/conversation/user-message.js";
import { showTime } from "ds/ui/lib/clock.js";
import { arrange, stencil } from "ds/ui/lib/dom.js";

export class LogView {
  /** @type {Map<string, HTMLElement>} */
  #turns = new Map();
  /** @type {Map<string, HTMLElement>} */
  #answers = new Map();
  /** @type {Map<string, HTMLElement>} */
  #said = new Map();
  /** @type {Map<string, Answered>} */
  #answered = new Map();
  /** Those in which nothing is said yet, by the last arrangement. @type {Set<string>} */
  #empty = new Set();

  /**
   * @param {HTMLElement} root
   * @param {Timeline} timeline
   * @param {Reader} reader
   */
  constructor(root, timeline, reader) {
    this.root = root;
    this.timeline = timeline;
    this.reader = reader;
    this.#adopt();
    this.#arrange();
  }

  /** @param {Changes} changes what a fold touched */
  apply({ messages, runs, removed }) {
    for (const id of removed) {
      this.#answered.delete(id);
      this.#empty.delete(id);
    }
    const known = (/** @type {string} */ id) => this.#answered.has(id) || this.#said.has(id);
    const before = [...messages].filter(known);
    const spoken = before.some((id) => this.#empty.has(id)); // then nobody is thinking any more
    if (runs.size > 0 || removed.size > 0 || before.length < messages.size || spoken) this.#arrange();
    for (const id of before) {
      const message = this.timeline.messages.get(id);
      if (message) this.#answered.get(id)?.update(message);
    }
  }

  /**
   * Forget everything and show this Timeline.
   *
   * @param {Timeline} timeline
   */
  restart(timeline) {
    this.timeline = timeline;
    for (const known of [this.#turns, this.#answers, this.#said, this.#answered, this.#empty]) known.clear();
    this.root.replaceChildren();
    this.#arrange();
  }

  /** The Message that an element on the page belongs to. @param {Element} element */
  messageAt(element) {
    const id = element.closest("[data-message]")?.getAttribute("data-message") ?? "";
    return this.timeline.messages.get(id) ?? null;
  }

  #adopt() {
    const found = (/** @type {string} */ name) =>
      /** @type {NodeListOf<HTMLElement>} */ (this.root.querySelectorAll(`[data-${name}]`));
    for (const element of found("turn")) this.#turns.set(element.dataset.turn ?? "", element);
    for (const element of found("answer")) this.#answers.set(element.dataset.answer ?? "", element);
    for (const element of found("message")) {
      const message = this.timeline.messages.get(element.dataset.message ?? "");
      if (message?.role === "user") {
        this.#said.set(message.id, element);
        showTime(element, message.at);
      } else if (message) this.#answered.set(message.id, new Answered(message, element));
    }
  }

  #arrange() {
    arrange(
      this.root,
      layOut(this.timeline, this.reader).map((turn) => this.#turn(turn)),
    );
  }

  /** @param {Exchange} turn */
  #turn({ id, asked, answers }) {
    const element = this.#kept(this.#turns, id, () => stencil("turn"));
    element.dataset.turn = id;
    arrange(element, [
      ...(asked ? [this.#asked(asked)] : []),
      ...answers.map((answer) => this.#answer(answer)),
    ]);
    return element;
  }

  /** @param {Answer} answer */
  #answer({ id, messages, status }) {
    const element = this.#kept(this.#answers, id, () => stencil("answer"));
    element.dataset.answer = id;
    const there = /** @type {HTMLElement | null} */ (element.querySelector(":scope > [data-note]"));
    const below = statusElement(there, status, id);
    const said = messages.map((message) => this.#message(message));
    arrange(element, below ? [...said, below] : said);
    return element;
  }

  /** @param {Message} message */
  #asked({ id, parts, at, state, actor }) {
    const text = parts.map((part) => part.text).join("");
    const mine = actor.id === this.reader.me;
    return this.#kept(this.#said, id, () => saidElement({ id, text, at, state, name: actor.name, mine }));
  }

  /** @param {Message} message */
  #message(message) {
    if (isEmpty(message)) this.#empty.add(message.id);
    else this.#empty.delete(message.id);
    const there = this.#answered.get(message.id);
    if (there) return there.element;
    const made = new Answered(message);
    this.#answered.set(message.id, made);
    return made.element;
  }

  /**
   * @param {Map<string, HTMLElement>} all
   * @param {string} id
   * @param {() => HTMLElement} make
   */
  #kept(all, id, make) {
    const there = all.get(id);
    if (there) return there;
    const made = make();
    all.set(id, made);
    return made;
  }
}
