/**
 * The elements of one field of a form.
 *
 * @module
 * @import { Field } from "ds/ui/asks/schema.js"
 * @import { Typed } from "ds/ui/asks/values.js"
 */

import { fromTemplate, getSlot } from "ds/ui/lib/dom.js";
import { sentence } from "ds/ui/lib/strings.js";

const TEMPLATES = { text: "field-text", lines: "field-text", json: "field-json", boolean: "field-check" };
const INPUTS = { email: "email", url: "url", date: "date" };

/**
 * A field on the page. `read` returns what was typed.
 *
 * @typedef {{field: Field, element: HTMLElement, read: () => Typed, showError: (text: string) => void, focus: () => void}} FieldView
 */

/**
 * @param {Field} field
 * @param {Typed} typed
 * @param {string} id of the field in the page
 * @returns {FieldView}
 */
export function fieldView(field, typed, id) {
  const view = field.options.length > 0 ? optionsView(field, typed, id) : inputView(field, typed, id);
  describe(view.element, field, id);
  return { field, ...view };
}

/**
 * Returns the element of a group, and the place of its fields.
 *
 * @param {Field} field
 */
export function groupElement({ label, help }) {
  const element = fromTemplate("field-group");
  getSlot(element, "label").textContent = label;
  fillHelp(element, help);
  return { element, place: getSlot(element, "fields") };
}

/** @type {(field: Field, typed: Typed, id: string) => Omit<FieldView, "field">} */
function inputView({ kind, required }, typed, id) {
  const template = TEMPLATES[/** @type {keyof typeof TEMPLATES} */ (kind)] ?? "field-line";
  const element = fromTemplate(template);
  const input = /** @type {HTMLInputElement | HTMLTextAreaElement} */ (getSlot(element, "input"));
  input.id = id;
  input.setAttribute("aria-describedby", `${id}-help ${id}-error`);
  if (input instanceof HTMLInputElement && kind === "boolean") {
    input.checked = typed === true;
    return {
      element,
      read: () => input.checked,
      showError: errorOf(element, [input]),
      focus: () => input.focus(),
    };
  }
  if (input instanceof HTMLInputElement)
    input.type = INPUTS[/** @type {keyof typeof INPUTS} */ (kind)] ?? "text";
  if (kind === "integer" || kind === "number") input.inputMode = kind === "integer" ? "numeric" : "decimal";
  input.value = String(typed);
  if (required) input.setAttribute("aria-required", "true");
  return {
    element,
    read: () => input.value,
    showError: errorOf(element, [input]),
    focus: () => input.focus(),
  };
}

/** @type {(field: Field, typed: Typed, id: string) => Omit<FieldView, "field">} */
function optionsView({ kind, options }, typed, id) {
  const element = fromTemplate("field-options");
  const place = getSlot(element, "options");
  const chosen = Array.isArray(typed) ? typed : [];
  const inputs = options.map((option, index) => {
    const choice = fromTemplate("field-option");
    const input = /** @type {HTMLInputElement} */ (getSlot(choice, "input"));
    input.type = kind === "choices" ? "checkbox" : "radio";
    input.name = id;
    input.checked = chosen.includes(index);
    getSlot(choice, "label").textContent = option.label;
    place.append(choice);
    return input;
  });
  element.setAttribute("aria-describedby", `${id}-help ${id}-error`);
  const read = () => inputs.flatMap((input, index) => (input.checked ? [index] : []));
  return { element, read, showError: errorOf(element, inputs), focus: () => inputs[0]?.focus() };
}

/** @type {(element: HTMLElement, field: Field, id: string) => void} */
function describe(element, { label, help, required }, id) {
  const name = getSlot(element, "label");
  name.textContent = label || sentence("ask_answer");
  const around = name.closest("label");
  if (around) around.htmlFor = id;
  getSlot(element, "optional").hidden = required;
  getSlot(element, "error").id = `${id}-error`;
  getSlot(element, "help").id = `${id}-help`;
  fillHelp(element, help);
}

/** @type {(element: HTMLElement, help: string) => void} */
function fillHelp(element, help) {
  const place = getSlot(element, "help");
  place.textContent = help;
  place.hidden = !help;
}

/** @type {(element: HTMLElement, inputs: HTMLElement[]) => (text: string) => void} */
function errorOf(element, inputs) {
  return (text) => {
    const place = getSlot(element, "error");
    place.textContent = text;
    place.hidden = !text;
    for (const input of inputs) {
      if (text) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  };
}
