/**
 * Finds the schema that a schema refers to, within the whole schema of a question.
 *
 * @module
 */

import { isObject } from "ds/ui/asks/wording.js";

const MAX_STEPS = 10; // from one reference to the next

/** @typedef {Record<string, unknown>} Schema */

/**
 * Follows references, and takes the one schema out of `allOf`, or out of an `anyOf` with null.
 *
 * @param {unknown} given
 * @param {Schema} root
 * @returns {Schema}
 */
export function resolve(given, root) {
  let schema = isObject(given) ? given : {};
  for (let step = 0; step < MAX_STEPS; step++) {
    /** @type {unknown} */
    let next;
    if (typeof schema.$ref === "string") next = lookUp(root, schema.$ref);
    else if (Array.isArray(schema.allOf) && schema.allOf.length === 1) next = schema.allOf[0];
    else if (Array.isArray(schema.anyOf)) next = onlyOne(schema.anyOf);
    else if (Array.isArray(schema.type)) next = { ...schema, type: onlyOne(schema.type) };
    if (!isObject(next)) return schema;
    schema = next;
  }
  return {};
}

/** @param {unknown[]} given schemas or their types */
function onlyOne(given) {
  const others = given.filter((each) => each !== "null" && !(isObject(each) && each.type === "null"));
  return others.length === 1 ? others[0] : undefined;
}

/** @type {(root: Schema, reference: string) => unknown} */
function lookUp(root, reference) {
  /** @type {unknown} */
  let found = root;
  for (const step of reference.replace("#", "").split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~"); // as JSON Pointer has it
    found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  }
  return found;
}
