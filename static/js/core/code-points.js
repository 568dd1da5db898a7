/**
 * Lengths in Unicode code points, as on the wire. JavaScript's strings count UTF-16 units.
 *
 * @module
 */

/**
 * Returns the number of code points.
 *
 * @param {string} text
 */
export function count(text) {
  let pairs = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const next = text.charCodeAt(i + 1);
    if (next >= 0xdc00 && next <= 0xdfff) {
      pairs++;
      i++;
    }
  }
  return text.length - pairs;
}

/**
 * Returns the first `length` code points of the text, or all if it has fewer.
 *
 * @param {string} text
 * @param {number} length
 */
export function take(text, length) {
  let end = 0;
  for (let taken = 0; taken < length && end < text.length; taken++) {
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  }
  return text.slice(0, end);
}
