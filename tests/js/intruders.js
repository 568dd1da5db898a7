/** What changes a page that is not its own: extensions, and the browser itself. Each may be called as often as the page changes. */

/** Every text goes into two `<font>`, as in Chromium's translator. The texts have no guillemets of their own. @param {Element} place */
function translator(place) {
  for (const text of texts(place, "font, [translate=no]")) {
    const font = wrap(text, "font");
    font.textContent = `«${font.textContent}»`;
    wrap(/** @type {Text} */ (font.firstChild), "font");
  }
}

/** Words get an element, with an explanation in it. @param {Element} place */
function dictionary(place) {
  for (const text of texts(place, ".entry")) {
    const word = /\w{3,}/.exec(text.data);
    if (!word) continue;
    const entry = wrap(cut(text, word.index, word[0].length), "span");
    entry.className = "entry";
    entry.append("explained");
    wrap(/** @type {Text} */ (entry.lastChild), "small");
  }
}

/** Letters are marked: texts are split. @param {Element} place */
function highlighter(place) {
  for (const text of texts(place, "mark")) {
    const letter = /[aeiou]/.exec(text.data);
    if (letter) wrap(cut(text, letter.index, 1), "mark");
  }
}

/** Elements are replaced by copies of them. @param {Element} place */
function copier(place) {
  for (const element of place.querySelectorAll("em, strong, a, li, p, code, h2")) {
    if (element.parentElement?.localName === "font") continue;
    const font = element.ownerDocument.createElement("font");
    element.replaceWith(font);
    font.append(element.cloneNode(true));
  }
}

export const INTRUDERS = { translator, dictionary, highlighter, copier };

/** Undoes what the intruders have done. @param {Element} place */
export function withoutIntruders(place) {
  for (const explanation of place.querySelectorAll(".entry > small")) explanation.remove();
  for (const element of [...place.querySelectorAll("font, .entry, mark")])
    element.replaceWith(...element.childNodes);
  for (const text of texts(place, "none")) text.data = text.data.replace(/[«»]/g, "");
  return place;
}

/**
 * @param {Node} place
 * @param {string} except the selector of elements whose texts are left out
 * @returns {Text[]}
 */
function texts(place, except) {
  return [...place.childNodes].flatMap((node) => {
    if (node.nodeType === 3) return [/** @type {Text} */ (node)];
    return /** @type {Element} */ (node).matches(except) ? [] : texts(node, except);
  });
}

/**
 * Puts a new text of the same letters into a new element in the place of the old text, which is gone.
 *
 * @param {Text} text
 * @param {string} tag
 */
function wrap(text, tag) {
  const element = text.ownerDocument.createElement(tag);
  element.textContent = text.data;
  text.replaceWith(element);
  return element;
}

/**
 * @param {Text} text
 * @param {number} start
 * @param {number} length
 */
function cut(text, start, length) {
  const found = start ? split(text, start) : text;
  if (found.data.length > length) split(found, length);
  return found;
}

/**
 * Text.splitText, which linkedom does not have.
 *
 * @param {Text} text
 * @param {number} at
 */
function split(text, at) {
  const rest = text.ownerDocument.createTextNode(text.data.slice(at));
  text.data = text.data.slice(0, at);
  text.after(rest);
  return rest;
}
