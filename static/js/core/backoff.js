/**
 * When to try again: at once, then full jitter of 0.5 s · 2ⁿ up to 4 s: a herd of tabs spreads out, and everybody is back
 * within 5 s of the end of an outage, however long it was (P3).
 *
 * @module
 */

export const FIRST_MS = 500;
export const MOST_MS = 4_000;

/**
 * The wait before the attempt after `failures` failures in a row.
 *
 * @param {number} failures 0: nothing failed yet, go at once
 * @param {() => number} random in [0, 1)
 * @returns {number} milliseconds
 */
export function delay(failures, random = Math.random) {
  if (failures <= 0) return 0;
  const ceiling = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  return Math.round(random() * ceiling);
}
