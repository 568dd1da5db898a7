/**
 * The conversation on the page: adopts the elements that the server has rendered, and follows the Timeline.
 *
 * @module
 * @import { Changes, Message, Timeline } from "ds/core/timeline-types.js"
 * @import { Answer, Exchange } from "ds/ui/conversation/layout.js"
 * @import { Reader } from "ds/ui/conversation/run-status.js"
 */

import { AgentMessage } from "ds/ui/conversation/agent-message.js";
import { isEmpty, layOut } from "ds/ui/conversation/layout.js";
import { statusElement } from "ds/ui/conversation/run-status.js";
import { userMessage } from "ds/ui/conversation/user-message.js";
import { fromTemplate, setChildren } from "ds/ui/lib/dom.js";
import { showTime } from "ds/ui/lib/local-time.js";

export class ConversationView {
  /** @type {Map<string, HTMLElement>} */
  #exchanges = new Map();
  /** @type {Map<string, HTMLElement>} */
  #answers = new Map();
  /** @type {Map<string, HTMLElement>} */
  #userMessages = new Map();
  /** @type {Map<string, AgentMessage>} */
  #agentMessages = new Map();
  /** Ids of Messages that had no text at the last layout. @type {Set<string>} */
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
    this.#layOut();
  }

  /** @param {Changes} changes of a fold */
  apply({ messages, runs, removed }) {
    for (const id of removed) {
      this.#agentMessages.delete(id);
      this.#empty.delete(id);
    }
    const isKnown = (/** @type {string} */ id) => this.#agentMessages.has(id) || this.#userMessages.has(id);
    const known = [...messages].filter(isKnown);
    const hasFirstText = known.some((id) => this.#empty.has(id)); // “… is thinking” goes away
    if (runs.size > 0 || removed.size > 0 || known.length < messages.size || hasFirstText) this.#layOut();
    for (const id of known) {
      const message = this.timeline.messages.get(id);
      if (message) this.#agentMessages.get(id)?.update(message);
    }
  }

  /**
   * Removes everything and shows another Timeline.
   *
   * @param {Timeline} timeline
   */
  restart(timeline) {
    this.timeline = timeline;
    const caches = [this.#exchanges, this.#answers, this.#userMessages, this.#agentMessages, this.#empty];
    for (const cache of caches) cache.clear();
    this.root.replaceChildren();
    this.#layOut();
  }

  /** Returns the Message that an element is part of. @param {Element} element */
  messageAt(element) {
    const id = element.closest("[data-message]")?.getAttribute("data-message") ?? "";
    return this.timeline.messages.get(id) ?? null;
  }

  #adopt() {
    const find = (/** @type {string} */ name) =>
      /** @type {NodeListOf<HTMLElement>} */ (this.root.querySelectorAll(`[data-${name}]`));
    for (const element of find("exchange")) this.#exchanges.set(element.dataset.exchange ?? "", element);
    for (const element of find("answer")) this.#answers.set(element.dataset.answer ?? "", element);
    for (const element of find("message")) {
      const message = this.timeline.messages.get(element.dataset.message ?? "");
      if (message?.role === "user") {
        this.#userMessages.set(message.id, element);
        showTime(element, message.at);
      } else if (message) this.#agentMessages.set(message.id, new AgentMessage(message, element));
    }
  }

  #layOut() {
    const exchanges = layOut(this.timeline, this.reader);
    setChildren(
      this.root,
      exchanges.map((exchange) => this.#exchange(exchange)),
    );
  }

  /** @param {Exchange} exchange */
  #exchange({ id, message, answers }) {
    const element = getOrCreate(this.#exchanges, id, () => fromTemplate("exchange"));
    element.dataset.exchange = id;
    const question = message ? [this.#userMessage(message)] : [];
    setChildren(element, [...question, ...answers.map((answer) => this.#answer(answer))]);
    return element;
  }

  /** @param {Answer} answer */
  #answer({ id, messages, status }) {
    const element = getOrCreate(this.#answers, id, () => fromTemplate("answer"));
    element.dataset.answer = id;
    const present = /** @type {HTMLElement | null} */ (element.querySelector("[data-run-status]"));
    const below = statusElement(present, status, id);
    const above = messages.map((message) => this.#agentMessage(message));
    setChildren(element, below ? [...above, below] : above);
    return element;
  }

  /** @param {Message} message */
  #userMessage({ id, parts, at, state, actor }) {
    const text = parts.map((part) => part.text).join("");
    const mine = actor.id === this.reader.me;
    const create = () => userMessage({ id, text, at, state, name: actor.name, mine });
    return getOrCreate(this.#userMessages, id, create);
  }

  /** @param {Message} message */
  #agentMessage(message) {
    if (isEmpty(message)) this.#empty.add(message.id);
    else this.#empty.delete(message.id);
    return getOrCreate(this.#agentMessages, message.id, () => new AgentMessage(message)).element;
  }
}

/**
 * @template T
 * @param {Map<string, T>} cache
 * @param {string} id
 * @param {() => T} create
 */
function getOrCreate(cache, id, create) {
  const present = cache.get(id);
  if (present) return present;
  const created = create();
  cache.set(id, created);
  return created;
}
