/**
 * Lengths on the wire are Unicode code points; JavaScript's strings count UTF-16 units.
 *
 * @module
 */

/**
 * How many code points the text has.
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
 * The text's first code points.
 *
 * @param {string} text
 * @param {number} length in code points; longer than the text gives the text
 */
export function take(text, length) {
  let end = 0;
  for (let taken = 0; taken < length && end < text.length; taken++) {
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  }
  return text.slice(0, end);
}
