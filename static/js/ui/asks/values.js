/**
 * What was typed into a form, as an answer. A form's texts are kept by path: `{"address.city": "Oslo"}`.
 *
 * @module
 * @import { Field } from "ds/ui/asks/schema.js"
 */

import { valueText } from "ds/ui/asks/wording.js";
import { sentence } from "ds/ui/lib/strings.js";

/** What a field holds: text, a check, or the places of the chosen options. @typedef {string | boolean | number[]} Typed */
/** @typedef {Map<string, Typed>} TypedByPath */

/** A field cannot be read; the message is for people. */
export class FieldError extends Error {
  /**
   * @param {string} path
   * @param {string} message
   */
  constructor(path, message) {
    super(message);
    this.path = path;
  }
}

/**
 * Returns the answer. Fields that were left empty are absent.
 *
 * @param {Field} field
 * @param {TypedByPath} typed
 * @returns {unknown}
 * @throws {FieldError}
 */
export function toValue(field, typed) {
  if (field.kind !== "group") return readField(field, typed.get(field.path) ?? "");
  const values = field.fields.map((each) => [each.name, toValue(each, typed)]);
  const present = values.filter(([, value]) => value !== undefined);
  if (present.length === 0 && !field.required) return undefined;
  return Object.fromEntries(present);
}

/**
 * Returns what a form shows at first.
 *
 * @param {Field} field
 * @returns {TypedByPath}
 */
export function toTyped(field) {
  if (field.kind === "group") return new Map(field.fields.flatMap((each) => [...toTyped(each)]));
  return new Map([[field.path, initialOf(field)]]);
}

/**
 * Returns what was typed in words, a row of label and text for each field that has any.
 *
 * @param {Field} field
 * @param {TypedByPath} typed
 * @returns {[string, string][]}
 */
export function typedRows(field, typed) {
  if (field.kind === "group") return field.fields.flatMap((each) => typedRows(each, typed));
  const given = typed.get(field.path) ?? "";
  const text = Array.isArray(given)
    ? given.map((place) => field.options[place]?.label ?? "").join(", ")
    : valueText(given);
  return text === "" ? [] : [[field.label, text]];
}

/**
 * @param {Field} field
 * @returns {Typed}
 */
function initialOf({ kind, initial, options }) {
  const placeOf = (/** @type {unknown} */ value) =>
    options.findIndex((option) => isSame(option.value, value));
  switch (kind) {
    case "boolean":
      return initial === true;
    case "choice":
      return initial === undefined ? [] : [placeOf(initial)].filter((place) => place >= 0);
    case "choices":
      return Array.isArray(initial) ? initial.map(placeOf).filter((place) => place >= 0) : [];
    case "lines":
      return Array.isArray(initial) ? initial.join("\n") : "";
    case "json":
      return initial === undefined ? "" : JSON.stringify(initial, null, 2);
    default:
      return initial === undefined || initial === null ? "" : String(initial);
  }
}

/**
 * @param {Field} field
 * @param {Typed} typed
 * @returns {unknown}
 */
function readField({ kind, path, required, options }, typed) {
  if (typeof typed === "boolean") return typed;
  if (Array.isArray(typed)) {
    const chosen = typed.map((place) => options[place]?.value);
    if (kind === "choices") return chosen.length > 0 || required ? chosen : undefined;
    return chosen[0];
  }
  const text = typed.trim();
  if (text === "") return kind === "lines" && required ? [] : undefined;
  if (kind === "integer" || kind === "number") return readNumber(kind, path, text);
  if (kind === "lines")
    return text
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
  if (kind === "json") return readJson(path, text);
  return typed;
}

/**
 * A comma is the decimal one. Before three digits it may be either, and is refused: 1,000 must not become 1.
 *
 * @type {(kind: string, path: string, text: string) => number}
 */
function readNumber(kind, path, text) {
  const number = /,\d{3}(?!\d)/.test(text) ? Number.NaN : Number(text.replace(",", "."));
  if (!Number.isFinite(number)) throw new FieldError(path, sentence("ask_number"));
  if (kind === "integer" && !Number.isInteger(number)) throw new FieldError(path, sentence("ask_integer"));
  return number;
}

/** @type {(path: string, text: string) => unknown} */
function readJson(path, text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new FieldError(path, sentence("ask_json"));
  }
}

/** @type {(one: unknown, other: unknown) => boolean} */
function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
