/**
 * The messages that wait for their turn, above the composer, on every device: why they wait, and what people can do with them.
 *
 * @module
 * @import { Message, Timeline } from "ds/core/timeline-types.js"
 * @import { Reader } from "ds/ui/asks/wording.js"
 */

import { QueueCommands } from "ds/ui/composer/queue-commands.js";
import { QueuedEdits } from "ds/ui/composer/queued-edits.js";
import { queueOf } from "ds/ui/conversation/layout.js";
import { confirmed } from "ds/ui/frame/confirm.js";
import { findById, fromTemplate, getById, getOrCreate, getSlot, setChildren } from "ds/ui/lib/dom.js";
import { StoredTexts } from "ds/ui/lib/stored-texts.js";
import { sentence } from "ds/ui/lib/strings.js";
import { showToast } from "ds/ui/lib/toast.js";

export class QueuePanel {
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  /** As they are in the queue, by Message; `isOwn`: the reader's. @type {Map<string, {text: string, isOwn: boolean}>} */
  #queued = new Map();

  /**
   * @param {{
   *   commands: QueueCommands, session: string, reader: Reader, restore: (text: string) => void,
   * }} options `restore` puts a text into the composer that is not in the queue any more
   */
  constructor({ commands, session, reader, restore }) {
    this.commands = commands;
    const stored = new StoredTexts(`queued:${reader.me}:${session}`);
    this.edits = new QueuedEdits(stored, (id, text) => commands.edit(id, text));
    this.reader = reader;
    this.restore = restore;
    this.root = getById("queue", HTMLElement);
    this.list = getSlot(this.root, "list");
    this.list.addEventListener("click", (event) => this.#onClick(event));
    this.root.addEventListener("submit", (event) => this.#onSubmit(event));
    for (const row of this.list.querySelectorAll("[data-queued]"))
      if (row instanceof HTMLElement) this.#rows.set(row.dataset.queued ?? "", row);
  }

  /** @param {Timeline} timeline */
  update(timeline) {
    const { messages, paused } = queueOf(timeline);
    this.root.hidden = messages.length === 0;
    const reason = getSlot(this.root, "paused");
    if (reason.textContent !== paused) reason.textContent = paused;
    const goOn = this.root.querySelector("[data-slot=go-on]");
    if (goOn instanceof HTMLElement) goOn.hidden = !paused;
    const ids = new Set(messages.map(({ id }) => id));
    for (const id of [...this.#rows.keys(), ...this.edits.unsaved()]) if (!ids.has(id)) this.#remove(id);
    setChildren(
      this.list,
      messages.map((message) => this.#row(message)),
    );
    for (const id of this.edits.unsaved()) this.#edit(id);
  }

  /** @param {Message} message */
  #row({ id, parts, actor }) {
    const text = parts.map((part) => part.text).join("");
    const row = getOrCreate(this.#rows, id, () => fromTemplate("queued-message"));
    row.dataset.queued = id;
    const isOwn = actor.id === this.reader.me;
    if (this.#queued.get(id)?.text !== text) getSlot(row, "text").textContent = text;
    this.#queued.set(id, { text, isOwn });
    getSlot(row, "name").textContent = isOwn ? "" : actor.name;
    return row;
  }

  /** Removes a row. A change that was not saved goes into the composer, the focus to a row beside it, or there, too. @param {string} id */
  #remove(id) {
    const row = this.#rows.get(id);
    const beside = row?.nextElementSibling ?? row?.previousElementSibling;
    const next = beside?.querySelector("button") ?? findById("text", HTMLElement);
    if (row?.contains(document.activeElement)) next?.focus();
    this.#rows.delete(id);
    this.#queued.delete(id);
    const unsaved = this.edits.take(id);
    if (unsaved === undefined) return;
    this.restore(unsaved);
    showToast(sentence("left_queue"));
  }

  /** @param {MouseEvent} event */
  #onClick({ target }) {
    const action =
      target instanceof Element ? target.closest("[data-action]")?.getAttribute("data-action") : null;
    const row = target instanceof Element ? target.closest("[data-queued]") : null;
    const id = row instanceof HTMLElement ? (row.dataset.queued ?? "") : "";
    if (action === "edit") this.#edit(id)?.focus();
    if (action === "cancel") this.edits.close(id);
    if (action === "withdraw") void this.#takeBack([id], () => this.commands.withdraw(id));
  }

  /** @param {string} id */
  #edit(id) {
    const row = this.#rows.get(id);
    return row && this.edits.open(id, row, this.#queued.get(id)?.text ?? "");
  }

  /**
   * Takes messages back. What the reader wrote goes into the composer.
   *
   * @param {string[]} ids
   * @param {() => Promise<boolean>} act
   */
  async #takeBack(ids, act) {
    const own = ids.map((id) => this.#queued.get(id)).filter((queued) => queued?.isOwn);
    if ((await act()) && own.length > 0) this.restore(own.map((queued) => queued?.text).join("\n\n"));
  }

  /** @param {SubmitEvent} event */
  #onSubmit(event) {
    const form = event.target;
    const slot = form instanceof HTMLElement ? form.dataset.slot : undefined;
    if (!slot) return;
    event.preventDefault();
    if (slot === "go-on") void this.commands.resume();
    if (slot === "stop-all") void this.#stopAll();
  }

  async #stopAll() {
    if (await confirmed(sentence("stop_all")))
      await this.#takeBack([...this.#queued.keys()], () => this.commands.stopAll());
  }
}
