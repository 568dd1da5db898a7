/**
 * The form of an Ask: its fields, their errors and their draft.
 *
 * @module
 * @import { Field } from "ds/ui/asks/schema.js"
 * @import { FieldView } from "ds/ui/asks/field-element.js"
 * @import { TypedByPath } from "ds/ui/asks/values.js"
 */

import { fieldView, groupElement } from "ds/ui/asks/field-element.js";
import { FieldError, toTyped, toValue } from "ds/ui/asks/values.js";

export class AskForm {
  /** @type {FieldView[]} */
  #views = [];

  /**
   * @param {{field: Field, place: HTMLElement, ask: string, draft: TypedByPath, onInput: (typed: TypedByPath) => void}} options
   *   `place` gets the fields; `draft` is what was typed before
   */
  constructor({ field, place, ask, draft, onInput }) {
    this.field = field;
    const typed = new Map([...toTyped(field), ...draft]);
    this.#add(field, place, typed, `ask-${ask}`);
    place.addEventListener("input", () => onInput(this.typed()));
  }

  /** Returns what was typed, by path. @returns {TypedByPath} */
  typed() {
    return new Map(this.#views.map(({ field, read }) => [field.path, read()]));
  }

  /** Returns the answer, or null where a field cannot be read: then it says so. @returns {{value: unknown} | null} */
  read() {
    this.showErrors({});
    try {
      return { value: toValue(this.field, this.typed()) };
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      this.showErrors({ [error.path]: error.message });
      return null;
    }
  }

  /**
   * Shows sentences at their fields, and goes to the first of them.
   *
   * @param {Record<string, string>} errors by path
   * @returns {string[]} those that belong to no field
   */
  showErrors(errors) {
    const found = new Map(Object.entries(errors));
    let isFirst = true;
    for (const view of this.#views) {
      const [path] = [...found.keys()].filter((each) => isPart(each, view.field.path));
      view.showError(path === undefined ? "" : (found.get(path) ?? ""));
      if (path === undefined) continue;
      found.delete(path);
      if (isFirst) view.focus();
      isFirst = false;
    }
    return [...found].map(([path, text]) => (path ? `${path}: ${text}` : text));
  }

  /** @type {(field: Field, place: HTMLElement, typed: TypedByPath, id: string) => void} */
  #add(field, place, typed, id) {
    if (field.kind !== "group") {
      const view = fieldView(field, typed.get(field.path) ?? "", id);
      this.#views.push(view);
      place.append(view.element);
      return;
    }
    const group = field.path ? groupElement(field) : null;
    field.fields.forEach((each, index) => {
      this.#add(each, group?.place ?? place, typed, `${id}-${index}`);
    });
    if (group) place.append(group.element);
  }
}

/** Returns whether an error at `path` belongs to a field: also one of a part of its value. @type {(path: string, field: string) => boolean} */
function isPart(path, field) {
  return path === field || (field !== "" && path.startsWith(`${field}.`));
}
