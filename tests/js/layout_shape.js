/**
 * A layout in the form of tests/fixtures/layout and of Python.
 *
 * @import { LogEvent } from "ds/core/events.js"
 * @import { Reader } from "ds/ui/conversation/run-status.js"
 */

import { readFileSync } from "node:fs";
import { emptyTimeline, fold } from "ds/core/timeline.js";
import { layOut } from "ds/ui/conversation/layout.js";
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
  return layOut(timeline, reader).map(({ id, seq, message, answers }) => ({
    id,
    seq,
    message: message?.id ?? null,
    answers: answers.map((answer) => ({
      id: answer.id,
      run: answer.run?.id ?? null,
      messages: answer.messages.map((message) => message.id),
      status: answer.status,
    })),
  }));
}
