/**
 * What Runs did, in order: Messages, tool calls and asks.
 *
 * @module
 * @import { Ask, Message, Run, Timeline } from "ds/core/timeline-types.js"
 * @import { Answer, Exchange, Item } from "ds/ui/conversation/layout-types.js"
 */

/** @type {(item: Item) => item is Message} */
export const isMessage = (item) => "role" in item;

/** @type {(item: Item) => item is Ask} */
export const isAsk = (item) => "schema" in item;

/**
 * Returns what each Run did, by the Run's id; a Message without a Run stands for itself.
 *
 * @param {Timeline} timeline
 */
export function itemsByRun(timeline) {
  /** @type {Map<string, Item[]>} */
  const found = new Map([...timeline.runs.keys()].map((id) => [id, []]));
  /** @type {(run: string, item: Item) => void} */
  const add = (run, item) => {
    const items = found.get(run) ?? [];
    items.push(item);
    found.set(run, items);
  };
  for (const message of timeline.messages.values())
    if (message.role === "assistant") add(message.run ?? message.id, message);
  for (const call of timeline.calls.values()) add(call.run, call);
  for (const ask of timeline.asks.values()) add(ask.run, ask);
  for (const items of found.values()) items.sort((one, other) => one.seq - other.seq);
  return found;
}

/**
 * Divides the items where the Run has read a Message. Leaves out what is empty, but for the last.
 *
 * @param {{runId: string, run: Run | null}} whose
 * @param {Item[]} items
 * @param {Exchange[]} steers of the Messages that the Run has read
 * @returns {Answer[]}
 */
export function divide({ runId, run }, items, steers) {
  const ids = [runId, ...steers.map(({ id }) => id)];
  /** @type {Answer[]} */
  const answers = ids.map((id) => ({ id, runId, run, items: [], status: null }));
  for (const item of items) {
    const place = steers.filter(({ seq }) => seq < item.seq).length;
    answers[place]?.items.push(item);
  }
  return answers.filter((answer) => answer.items.length > 0 || answer === answers.at(-1));
}
