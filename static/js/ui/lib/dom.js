/**
 * Finds, copies and arranges elements. All markup is the server's: scripts copy its `<template>` elements and fill them in.
 *
 * @module
 */

/**
 * Returns the element with this id. Throws if there is none: then page and script are of different versions.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function getById(id, type) {
  const found = findById(id, type);
  if (!found) throw new Error(`The page has no #${id}.`);
  return found;
}

/**
 * Returns the element with this id, or null on pages without it.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T | null}
 */
export function findById(id, type) {
  const found = document.getElementById(id);
  return found instanceof type ? found : null;
}

/**
 * Returns a copy of the element in `<template id="template-…">`.
 *
 * @param {string} name
 * @returns {HTMLElement}
 */
export function fromTemplate(name) {
  const { content } = getById(`template-${name}`, HTMLTemplateElement);
  const copy = content.firstElementChild?.cloneNode(true);
  if (!(copy instanceof HTMLElement)) throw new Error(`The template ${name} is empty.`);
  return copy;
}

/**
 * Returns the element with this `data-slot`, which a script fills in.
 *
 * @param {Element} within
 * @param {string} name
 * @returns {HTMLElement}
 */
export function getSlot(within, name) {
  const found = within.querySelector(`[data-slot="${name}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`There is no slot ${name}.`);
  return found;
}

/**
 * Returns the value in the `<script type="application/json">` with this id.
 *
 * @param {string} id
 * @returns {any} as the server's view made it; null if there is none
 */
export function readJson(id) {
  return JSON.parse(document.getElementById(id)?.textContent ?? "null");
}

/**
 * Makes the elements the only children of `parent`, in this order. Moves as few as possible: an element that is not moved keeps its
 * scroll position, selection and animation.
 *
 * @param {Element} parent
 * @param {readonly Element[]} elements
 */
export function setChildren(parent, elements) {
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  elements.forEach((element, index) => {
    const present = parent.children[index] ?? null;
    if (present !== element) parent.insertBefore(element, present);
  });
}

/**
 * Returns the value of a key, which is created if it is not there yet.
 *
 * @template T
 * @param {Map<string, T>} cache
 * @param {string} id
 * @param {() => T} create
 */
export function getOrCreate(cache, id, create) {
  const present = cache.get(id);
  if (present) return present;
  const created = create();
  cache.set(id, created);
  return created;
}
