/**
 * Finding and copying what the server put on the page. All markup is the server's: the script fills in stencils.
 *
 * @module
 */

/**
 * The element with that id. Throws where there is none: then page and script are of different versions.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no #${id}.`);
  return found;
}

/**
 * The same, where the page may well be without it.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T | null}
 */
export function maybe(id, type) {
  const found = document.getElementById(id);
  return found instanceof type ? found : null;
}

/**
 * A copy of the element that a stencil holds.
 *
 * @param {string} name
 * @returns {HTMLElement}
 */
export function stencil(name) {
  const { content } = byId(`stencil-${name}`, HTMLTemplateElement);
  const copy = content.firstElementChild?.cloneNode(true);
  if (!(copy instanceof HTMLElement)) throw new Error(`The stencil ${name} is empty.`);
  return copy;
}

/**
 * The place in a copied stencil that is to be filled in.
 *
 * @param {Element} within
 * @param {string} name
 * @returns {HTMLElement}
 */
export function slot(within, name) {
  const found = within.querySelector(`[data-slot="${name}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`There is no slot ${name}.`);
  return found;
}

/**
 * What the server wrote into a `<script type="application/json">`.
 *
 * @param {string} id
 * @returns {any} as the server's view made it
 */
export function embedded(id) {
  return JSON.parse(document.getElementById(id)?.textContent ?? "null");
}

/**
 * Put the elements into the parent in this order and take out what else is in it, touching as little as possible:
 * what stays keeps its scroll position, selection and animation.
 *
 * @param {Element} parent
 * @param {readonly Element[]} elements
 */
export function arrange(parent, elements) {
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  elements.forEach((element, index) => {
    const there = parent.children[index] ?? null;
    if (there !== element) parent.insertBefore(element, there);
  });
}
