/**
 * The card of an Ask: its question, its form while it is open, and then who answered what.
 *
 * @module
 * @import { Ask, ToolCall } from "ds/core/timeline-types.js"
 * @import { Reader } from "ds/ui/asks/wording.js"
 * @import { Reply, SendReply } from "ds/ui/asks/question.js"
 * @import { Typed } from "ds/ui/asks/values.js"
 */

import { Question } from "ds/ui/asks/question.js";
import { readSchema } from "ds/ui/asks/schema.js";
import { typedRows } from "ds/ui/asks/values.js";
import { answerRows, outcome, whyNot } from "ds/ui/asks/wording.js";
import { fromTemplate, getSlot, setChildren } from "ds/ui/lib/dom.js";
import { showFutureTime } from "ds/ui/lib/local-time.js";
import { StoredTexts } from "ds/ui/lib/stored-texts.js";
import { sentence } from "ds/ui/lib/strings.js";

export class AskCard {
  /** @type {Question | null} */
  #question = null;
  /** The state that is shown. @type {Ask["state"] | ""} */
  #state = "";
  /** True once this page has sent the answer that counts: then nothing of it was lost. */
  #isSent = false;

  /**
   * @param {Ask} ask
   * @param {{reader: Reader, send: SendReply, call: ToolCall | undefined}} options `call`: the one that an approval is about
   * @param {HTMLElement} [present] the element that the server has rendered, if it has
   */
  constructor(ask, { reader, send, call }, present) {
    this.reader = reader;
    this.send = send;
    this.call = call;
    /** @type {StoredTexts<Typed>} */
    this.draft = new StoredTexts(`ask:${reader.me}:${ask.id}`);
    this.element = present ?? fromTemplate("ask");
    this.element.dataset.ask = ask.id;
    this.element.dataset.kind = ask.kind;
    getSlot(this.element, "title").textContent = ask.title;
    if (ask.expiresAt) showFutureTime(getSlot(this.element, "until"), ask.expiresAt);
    this.update(ask);
  }

  /** @param {Ask} ask in its present state */
  update(ask) {
    if (ask.state === this.#state) return;
    this.#state = ask.state;
    const isOpen = ask.state === "open";
    const reason = whyNot(ask, this.reader);
    this.element.dataset.state = ask.state;
    getSlot(this.element, "until").hidden = !isOpen || !ask.expiresAt;
    const why = getSlot(this.element, "why-not");
    why.textContent = reason;
    why.hidden = !isOpen || !reason;
    const said = getSlot(this.element, "outcome");
    said.textContent = outcome(ask, this.reader);
    said.hidden = isOpen;
    this.#showRows(answerRows(ask), getSlot(this.element, "rows"));
    if (!isOpen) this.#close(ask);
    else if (!reason) this.#open(ask);
  }

  /** @param {Ask} ask */
  #open(ask) {
    const send = async (/** @type {Reply} */ reply) => {
      this.#isSent = true;
      try {
        await this.send(ask.id, reply);
      } catch (error) {
        this.#isSent = false;
        throw error;
      }
    };
    this.#question = new Question(ask, { call: this.call, draft: this.draft, send });
    getSlot(this.element, "form").append(this.#question.element);
  }

  /** Removes the form. What was typed into it stays below if somebody else was first. @param {Ask} ask */
  #close(ask) {
    const typed = this.#question?.unsent() ?? this.draft.load();
    const hadFocus = this.#question?.element.contains(document.activeElement);
    this.#question?.element.remove();
    if (hadFocus) focusQuietly(getSlot(this.element, "outcome"));
    this.#question = null;
    if (this.#isSent) this.draft.forget();
    const unsent = getSlot(this.element, "unsent");
    const rows = this.#isSent ? [] : typedRows(readSchema(ask.schema), typed);
    unsent.hidden = rows.length === 0;
    this.#showRows(rows, getSlot(unsent, "unsent-rows"));
    unsent.querySelector("button")?.addEventListener("click", () => {
      this.draft.forget();
      unsent.hidden = true;
    });
  }

  /** @type {(rows: [string, string][], place: HTMLElement) => void} */
  #showRows(rows, place) {
    place.hidden = rows.length === 0;
    const elements = rows.map(([name, text]) => {
      const row = fromTemplate("ask-row");
      getSlot(row, "name").textContent = name || sentence("ask_answer");
      getSlot(row, "text").textContent = text;
      return row;
    });
    setChildren(place, elements);
  }
}

/** Focuses a text in the place of a field that is gone, so that the keyboard goes on from there. @param {HTMLElement} text */
function focusQuietly(text) {
  text.tabIndex = -1;
  text.focus({ preventScroll: true });
}
