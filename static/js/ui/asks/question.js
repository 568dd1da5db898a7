/**
 * The open form of an Ask: fields and “Send answer”, buttons to choose from, or the arguments of a tool with “Allow”.
 *
 * @module
 * @import { Ask, ToolCall } from "ds/core/timeline-types.js"
 * @import { Field } from "ds/ui/asks/schema.js"
 * @import { Typed, TypedByPath } from "ds/ui/asks/values.js"
 * @import { StoredTexts } from "ds/ui/lib/stored-texts.js"
 */

import { Refused } from "ds/core/protocol.js";
import { AskForm } from "ds/ui/asks/form.js";
import { optionsOf, readSchema } from "ds/ui/asks/schema.js";
import { toTyped } from "ds/ui/asks/values.js";
import { isObject } from "ds/ui/asks/wording.js";
import { fromTemplate, getSlot } from "ds/ui/lib/dom.js";
import { sentence } from "ds/ui/lib/strings.js";

/** @typedef {{value: unknown} | {declined: true}} Reply */
/** @typedef {(ask: string, reply: Reply) => Promise<unknown>} SendReply rejects with `Refused` */

export class Question {
  /** @type {AskForm | null} */
  #form = null;
  /** @type {TypedByPath} */
  #initial = new Map();
  /** True while an answer is under way. */
  #isBusy = false;

  /**
   * @param {Ask} ask
   * @param {{call: ToolCall | undefined, draft: StoredTexts<Typed>, send: (reply: Reply) => Promise<void>}} options
   */
  constructor(ask, { call, draft, send }) {
    this.ask = ask;
    this.send = send;
    const choices = ask.kind === "choice" && isObject(ask.schema) ? optionsOf(ask.schema) : [];
    const kind = ask.kind === "choice" && choices.length === 0 ? "form" : ask.kind;
    this.element = /** @type {HTMLFormElement} */ (fromTemplate(`ask-${kind}`));
    if (kind === "choice") this.#addChoices(choices);
    else this.#addFields(readSchema(ask.schema, ask.default ?? call?.input), draft);
    if (kind === "approval") getSlot(this.element, "remember-row").hidden = !ask.tool;
    this.element.addEventListener("submit", (event) => this.#onSubmit(event));
  }

  /** Returns what was typed and is not what the form had shown at first. @returns {TypedByPath} */
  unsent() {
    const typed = [...(this.#form?.typed() ?? [])];
    return new Map(typed.filter(([path, value]) => String(value) !== String(this.#initial.get(path))));
  }

  /** @type {(choices: {value: unknown, label: string}[]) => void} */
  #addChoices(choices) {
    const place = getSlot(this.element, "choices");
    choices.forEach(({ label }, index) => {
      const button = /** @type {HTMLButtonElement} */ (fromTemplate("ask-choice-button"));
      button.textContent = label;
      button.value = String(index);
      place.append(button);
    });
    this.choices = choices;
  }

  /** @type {(field: Field, draft: StoredTexts<Typed>) => void} */
  #addFields(field, draft) {
    this.#initial = toTyped(field);
    const place = getSlot(this.element, "fields");
    const onInput = () => draft.save(this.unsent());
    this.#form = new AskForm({ field, place, ask: this.ask.id, draft: draft.load(), onInput });
  }

  /** @param {SubmitEvent} event */
  #onSubmit(event) {
    event.preventDefault();
    if (this.#isBusy) return;
    const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
    const reply = this.#replyOf(button?.name ?? "", button?.value ?? "");
    if (reply) void this.#send(reply);
  }

  /** @type {(name: string, value: string) => Reply | null} */
  #replyOf(name, value) {
    const isApproval = this.ask.kind === "approval";
    if (name === "decline") return isApproval ? { value: { approve: false } } : { declined: true };
    if (name === "choice") return { value: this.choices?.[Number(value)]?.value };
    const read = this.#form?.read();
    if (!read || !isApproval) return read ?? null;
    const remember = /** @type {HTMLInputElement} */ (getSlot(this.element, "remember")).checked;
    const input = this.unsent().size > 0 && { input: read.value };
    return { value: { approve: true, ...input, ...(remember && { remember }) } };
  }

  /** @param {Reply} reply */
  async #send(reply) {
    const problem = getSlot(this.element, "problem");
    problem.hidden = true;
    this.#setBusy(true);
    try {
      await this.send(reply);
    } catch (error) {
      this.#setBusy(false);
      if (!(error instanceof Refused)) throw error;
      problem.textContent = this.#showErrors(error);
      problem.hidden = !problem.textContent;
    }
  }

  /** Returns what is to be said beside the fields. @param {Refused} refused */
  #showErrors({ message, fields }) {
    const errors = Object.entries(fields);
    if (!this.#form || errors.length === 0) return message;
    const ofApproval = this.ask.kind === "approval"; // the fields are those of its `input`
    const own = errors.map(([path, text]) => [ofApproval ? path.replace(/^input\.?/, "") : path, text]);
    return this.#form.showErrors(Object.fromEntries(own)).join(" ");
  }

  /** The buttons stay enabled: a disabled one would lose the focus. @param {boolean} isBusy */
  #setBusy(isBusy) {
    this.#isBusy = isBusy;
    this.element.setAttribute("aria-busy", String(isBusy));
    getSlot(this.element, "sending").textContent = isBusy ? sentence("pending") : "";
  }
}
