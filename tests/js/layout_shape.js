/**
 * A layout in the form of tests/fixtures/layout and of Python.
 *
 * @import { LogEvent } from "ds/core/events.js"
 * @import { Reader } from "ds/ui/asks/wording.js"
 * @import { Item } from "ds/ui/conversation/layout-types.js"
 */

import { readFileSync } from "node:fs";
import { emptyTimeline, fold } from "ds/core/timeline.js";
import { answerRows, outcome, whyNot } from "ds/ui/asks/wording.js";
import { isAsk, isMessage } from "ds/ui/conversation/items.js";
import { layOut, queueOf } from "ds/ui/conversation/layout.js";
import { jsonText, outputText, stateText } from "ds/ui/conversation/tool-call.js";
import { parseHTML } from "linkedom";

/** @type {{strings: Record<string, string>, numbers: [number, string][], long_texts: {piece: string, times: number, long: boolean}[]}} */
export const TEXTS = JSON.parse(
  readFileSync(new URL("../fixtures/layout_texts.json", import.meta.url), "utf8"),
);

// The page that the sentences are read from.
const html = `<script type="application/json" id="strings">${JSON.stringify(TEXTS.strings)}</script>`;
Object.assign(globalThis, {
  document: parseHTML(`<!doctype html><html><body>${html}</body></html>`).document,
});

/**
 * @param {LogEvent[]} log
 * @param {Reader} reader
 */
export function laidOut(log, reader) {
  const timeline = emptyTimeline();
  fold(timeline, log);
  const exchanges = layOut(timeline, reader).map(({ id, seq, message, note, answers }) => ({
    id,
    seq,
    message: message?.id ?? null,
    note,
    answers: answers.map((answer) => ({
      id: answer.id,
      run: answer.run?.id ?? null,
      items: answer.items.map((item) => shapeOfItem(item, answer.items, reader)),
      status: answer.status,
    })),
  }));
  const queue = queueOf(timeline);
  return { exchanges, queue: { ...queue, messages: queue.messages.map(({ id }) => id) } };
}

/**
 * @param {Item} item
 * @param {Item[]} items
 * @param {Reader} reader
 */
function shapeOfItem(item, items, reader) {
  if (isMessage(item)) return { message: item.id };
  if (!isAsk(item)) {
    const { id, input } = item;
    return { call: id, state: stateText(item, items), input: jsonText(input), output: outputText(item) };
  }
  return {
    ask: item.id,
    why_not: whyNot(item, reader),
    outcome: outcome(item, reader),
    rows: answerRows(item),
  };
}
