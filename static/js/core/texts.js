/**
 * What of a typed text is sent. The server has the same rules; tests/fixtures/sent_texts.json and visible_texts.json hold both
 * together.
 *
 * @module
 */

// Spaces, control characters, what Unicode calls ignorable (zero-width characters, marks of direction, variation selectors, fillers),
// the Braille pattern without dots, and marks of annotations.
const INVISIBLE = /^[\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffb]*$/u;

/**
 * Returns whether a person could see anything of the text. Another one cannot be sent.
 *
 * @param {string} text
 */
export function isVisible(text) {
  return !INVISIBLE.test(text);
}

/**
 * Returns the text without the blank lines before and after it. The first line keeps its indent: it may be code.
 *
 * @param {string} text with LF as its line breaks
 */
export function withoutBlankLines(text) {
  const begin = text.length - text.trimStart().length;
  if (begin === text.length) return "";
  const end = text.indexOf("\n", text.trimEnd().length);
  return text.slice(text.lastIndexOf("\n", begin) + 1, end < 0 ? text.length : end);
}
