/**
 * Reads a JSON Schema as the fields of a form. What has no field of its own gets one for JSON. Nothing of a schema is trusted: its
 * texts are shown as text, and its depth is bounded.
 *
 * @module
 * @import { Schema } from "ds/ui/asks/references.js"
 */

import { resolve } from "ds/ui/asks/references.js";
import { isObject } from "ds/ui/asks/wording.js";

const MAX_LINE = 120; // characters that fit into a field of one line
/** @type {Record<string, Field["kind"]>} */
const FORMATS = { date: "date", email: "email", uri: "url" };

/**
 * `path` is the field's in the answer, `address.city`, empty for the whole; `name` its last part. `options` belong to choices,
 * `fields` to a group.
 *
 * @typedef {{
 *   kind: "text" | "line" | "email" | "url" | "date" | "integer" | "number" | "boolean" | "choice" | "choices" | "lines" | "group" | "json",
 *   path: string, name: string, label: string, help: string, required: boolean, initial: unknown, options: Option[], fields: Field[],
 * }} Field
 */
/** @typedef {{value: unknown, label: string}} Option */

/**
 * Returns the field that the whole answer is: a group where the schema is an object's.
 *
 * @param {unknown} schema
 * @param {unknown} [initial] of the answer
 * @returns {Field}
 */
export function readSchema(schema, initial) {
  const root = isObject(schema) ? schema : {};
  return fieldOf(root, { root, path: "", name: "", required: true, initial, depth: 0 });
}

/**
 * @param {Schema} given
 * @param {{root: Schema, path: string, name: string, required: boolean, initial: unknown, depth: number}} place
 * @returns {Field}
 */
function fieldOf(given, { root, path, name, required, initial, depth }) {
  const schema = resolve(given, root);
  const options = optionsOf(schema);
  const kind = options.length > 0 ? "choice" : kindOf(schema, root, depth);
  const title = textOf(given.title) || textOf(schema.title);
  /** @type {Field} */
  const field = {
    kind,
    path,
    name,
    label: title || words(name),
    help: textOf(given.description) || textOf(schema.description),
    required,
    initial: initial ?? given.default ?? schema.default,
    options,
    fields: [],
  };
  if (kind === "choices") field.options = optionsOf(resolve(schema.items, root));
  if (kind === "group") field.fields = fieldsOf(schema, field, root, depth);
  return field;
}

/**
 * @param {Schema} schema
 * @param {Field} group
 * @param {Schema} root
 * @param {number} depth
 */
function fieldsOf(schema, { path, initial }, root, depth) {
  const required = Array.isArray(schema.required) ? schema.required : [];
  const values = isObject(initial) ? initial : {};
  const properties = isObject(schema.properties) ? schema.properties : {};
  return Object.entries(properties).map(([name, property]) =>
    fieldOf(isObject(property) ? property : {}, {
      root,
      path: path ? `${path}.${name}` : name,
      name,
      required: required.includes(name),
      initial: values[name],
      depth: depth + 1,
    }),
  );
}

/**
 * @param {Schema} schema
 * @param {Schema} root
 * @param {number} depth
 * @returns {Field["kind"]}
 */
function kindOf(schema, root, depth) {
  switch (schema.type) {
    case "boolean":
    case "integer":
    case "number":
      return schema.type;
    case "string":
      return FORMATS[textOf(schema.format)] ?? (isShort(schema) ? "line" : "text");
    case "array": {
      const items = resolve(schema.items, root);
      if (optionsOf(items).length > 0) return "choices";
      return items.type === "string" ? "lines" : "json";
    }
    default:
      return depth <= 1 && isGroup(schema) ? "group" : "json";
  }
}

/** Returns whether its fields are known; one without any has only the button to send it. @param {Schema} schema */
function isGroup({ type, properties, additionalProperties, patternProperties }) {
  if (isObject(properties)) return true;
  return type === "object" && !isObject(additionalProperties) && !isObject(patternProperties);
}

/** @param {Schema} schema */
function isShort({ maxLength, pattern, format }) {
  return (typeof maxLength === "number" && maxLength <= MAX_LINE) || Boolean(pattern) || Boolean(format);
}

/**
 * Returns the values to choose from: of an `enum`, or of constants with titles.
 *
 * @param {Schema} schema
 * @returns {Option[]}
 */
export function optionsOf({ enum: values, oneOf, anyOf }) {
  if (Array.isArray(values)) return values.map((value) => ({ value, label: labelOf(value) }));
  const schemas = [oneOf, anyOf].find(Array.isArray) ?? [];
  if (!schemas.every((each) => isObject(each) && "const" in each)) return [];
  return schemas.map((each) => ({ value: each.const, label: textOf(each.title) || labelOf(each.const) }));
}

/** @param {unknown} value */
const labelOf = (value) => (typeof value === "string" ? value : JSON.stringify(value));
/** @param {unknown} value */
const textOf = (value) => (typeof value === "string" ? value : "");
/** Returns the name of a field as people write it. @param {string} name */
const words = (name) => (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll("_", " ");
