/**
 * The elements of tool calls and Asks in a conversation.
 *
 * @module
 * @import { Ask, Timeline, ToolCall } from "ds/core/timeline-types.js"
 * @import { SendReply } from "ds/ui/asks/question.js"
 * @import { Item } from "ds/ui/conversation/layout-types.js"
 * @import { Reader } from "ds/ui/asks/wording.js"
 */

import { callKey } from "ds/core/timeline-work.js";
import { AskCard } from "ds/ui/asks/card.js";
import { isAsk } from "ds/ui/conversation/items.js";
import { toolCallElement } from "ds/ui/conversation/tool-call.js";
import { getOrCreate } from "ds/ui/lib/dom.js";

export class WorkItems {
  /** @type {Map<string, HTMLElement>} */
  #calls = new Map();
  /** Of calls that have ended, and do not change any more. @type {WeakMap<ToolCall, HTMLElement>} */
  #ended = new WeakMap();
  /** @type {Map<string, AskCard>} */
  #asks = new Map();
  /** Elements that the server has rendered, by Ask. @type {Map<string, HTMLElement>} */
  #rendered = new Map();

  /** @param {{reader: Reader, send: SendReply}} options */
  constructor(options) {
    this.options = options;
  }

  /**
   * @param {Iterable<HTMLElement>} calls
   * @param {Iterable<HTMLElement>} asks
   */
  adopt(calls, asks) {
    for (const element of calls) this.#calls.set(element.dataset.call ?? "", element);
    for (const element of asks) this.#rendered.set(element.dataset.ask ?? "", element);
  }

  clear() {
    this.#calls.clear();
    this.#asks.clear();
    this.#rendered.clear();
  }

  /**
   * Returns the element of the item, in its present state.
   *
   * @param {Ask | ToolCall} item
   * @param {readonly Item[]} items of the Answer that it is part of
   * @param {Timeline} timeline
   */
  element(item, items, timeline) {
    if (!isAsk(item)) return this.#ended.get(item) ?? this.#callElement(item, items);
    const call = timeline.calls.get(callKey(item.run, item.call ?? ""));
    const create = () => new AskCard(item, { ...this.options, call }, this.#rendered.get(item.id));
    const card = getOrCreate(this.#asks, item.id, create);
    card.update(item);
    return card.element;
  }

  /** @type {(call: ToolCall, items: readonly Item[]) => HTMLElement} */
  #callElement(call, items) {
    const key = callKey(call.run, call.id);
    const element = toolCallElement(call, items, this.#calls.get(key));
    this.#calls.set(key, element);
    if (call.state !== "called") this.#ended.set(call, element);
    return element;
  }
}
