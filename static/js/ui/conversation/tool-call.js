/**
 * The line of a tool call. Its input and output unfold.
 *
 * @module
 * @import { ToolCall } from "ds/core/timeline-types.js"
 * @import { Item } from "ds/ui/conversation/layout-types.js"
 */

import { isAsk } from "ds/ui/conversation/items.js";
import { progressText } from "ds/ui/conversation/run-status.js";
import { fromTemplate, getSlot } from "ds/ui/lib/dom.js";
import { sentence } from "ds/ui/lib/strings.js";

/**
 * Returns the element of the call, in its present state.
 *
 * @param {ToolCall} call
 * @param {readonly Item[]} items of the Answer that it is part of
 * @param {HTMLElement | undefined} present the element on the page now
 */
export function toolCallElement(call, items, present) {
  const element = present ?? fromTemplate("tool-call");
  element.dataset.call = `${call.run}/${call.id}`;
  element.dataset.state = stateOf(call, items);
  setText(getSlot(element, "name"), call.name);
  setText(getSlot(element, "state"), stateText(call, items));
  setText(getSlot(element, "input"), jsonText(call.input));
  setText(getSlot(element, "output"), outputText(call));
  getSlot(element, "output-part").hidden = call.state === "called";
  return element;
}

/**
 * Returns what the line says of the call. chatapp/pages/tool_call.py says the same.
 *
 * @param {ToolCall} call
 * @param {readonly Item[]} items
 */
export function stateText(call, items) {
  switch (stateOf(call, items)) {
    case "failed":
      return sentence(call.unknown ? "tool_unknown" : "tool_failed");
    case "returned":
      return sentence("tool_done");
    case "asked":
      return sentence("tool_asked");
    default:
      return call.progress ? progressText(call.progress) : sentence("tool_at_work");
  }
}

/** Returns what the tool has given, or what went wrong. @param {ToolCall} call */
export function outputText(call) {
  return call.error ?? ("output" in call ? jsonText(call.output) : "");
}

/** @param {unknown} value what a tool was given, or has given */
export function jsonText(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/**
 * Returns the state of the call in its Answer: `asked` while people have to allow it first.
 *
 * @param {ToolCall} call
 * @param {readonly Item[]} items
 */
function stateOf({ id, state }, items) {
  if (state !== "called") return state;
  const isAsked = items.some((item) => isAsk(item) && item.call === id && item.state === "open");
  return isAsked ? "asked" : state;
}

/** @type {(element: HTMLElement, text: string) => void} */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
