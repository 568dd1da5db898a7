/**
 * The conversation on the page: adopts the elements that the server has rendered, and follows the Timeline.
 *
 * @module
 * @import { Changes, Message, Timeline } from "ds/core/timeline-types.js"
 * @import { SendReply } from "ds/ui/asks/question.js"
 * @import { Reader } from "ds/ui/asks/wording.js"
 * @import { Answer, Exchange } from "ds/ui/conversation/layout-types.js"
 */

import { AgentMessage } from "ds/ui/conversation/agent-message.js";
import { isMessage } from "ds/ui/conversation/items.js";
import { layOut } from "ds/ui/conversation/layout.js";
import { isEmpty } from "ds/ui/conversation/message-texts.js";
import { statusElement } from "ds/ui/conversation/run-status-element.js";
import { showNote, userMessage } from "ds/ui/conversation/user-message.js";
import { WorkItems } from "ds/ui/conversation/work-items.js";
import { fromTemplate, getOrCreate, setChildren } from "ds/ui/lib/dom.js";
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
   * @param {{reader: Reader, send: SendReply}} options `send` answers an Ask
   */
  constructor(root, timeline, { reader, send }) {
    this.root = root;
    this.timeline = timeline;
    this.reader = reader;
    this.work = new WorkItems({ reader, send });
    this.#adopt();
    this.#layOut();
  }

  /** @param {Changes} changes of a fold */
  apply({ messages, runs, removed }) {
    for (const id of removed) {
      this.#agentMessages.delete(id);
      this.#userMessages.delete(id);
      this.#empty.delete(id);
    }
    const known = [...messages].filter((id) => this.#agentMessages.has(id));
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
    this.work.clear();
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
      if (message?.role === "user") this.#userMessages.set(message.id, element);
      else if (message) this.#agentMessages.set(message.id, new AgentMessage(message, element));
    }
    this.work.adopt(find("call"), find("ask"));
  }

  #layOut() {
    const exchanges = layOut(this.timeline, this.reader);
    setChildren(
      this.root,
      exchanges.map((exchange) => this.#exchange(exchange)),
    );
  }

  /** @param {Exchange} exchange */
  #exchange({ id, message, note, answers }) {
    const element = getOrCreate(this.#exchanges, id, () => fromTemplate("exchange"));
    element.dataset.exchange = id;
    const question = message ? [this.#userMessage(message, note)] : [];
    setChildren(element, [...question, ...answers.map((answer) => this.#answer(answer))]);
    return element;
  }

  /** @param {Answer} answer */
  #answer({ id, runId, items, status }) {
    const element = getOrCreate(this.#answers, id, () => fromTemplate("answer"));
    element.dataset.answer = id;
    const present = /** @type {HTMLElement | null} */ (element.querySelector("[data-run-status]"));
    const below = statusElement(present, status, runId);
    const above = items.map((item) =>
      isMessage(item) ? this.#agentMessage(item) : this.work.element(item, items, this.timeline),
    );
    setChildren(element, below ? [...above, below] : above);
    return element;
  }

  /**
   * @param {Message} message
   * @param {string} note
   */
  #userMessage({ id, parts, at, state, actor }, note) {
    const text = parts.map((part) => part.text).join("");
    const mine = actor.id === this.reader.me;
    const create = () => userMessage({ id, text, at, state, name: actor.name, mine });
    const element = getOrCreate(this.#userMessages, id, create);
    element.dataset.state = state;
    showNote(element, note);
    showTime(element, at);
    return element;
  }

  /** @param {Message} message */
  #agentMessage(message) {
    if (isEmpty(message)) this.#empty.add(message.id);
    else this.#empty.delete(message.id);
    return getOrCreate(this.#agentMessages, message.id, () => new AgentMessage(message)).element;
  }
}
