/**
 * The wait before the next attempt: none at first, then full jitter over 0.5 s · 2ⁿ, at most 4 s. Many tabs spread out, and each is
 * back within 5 s of the end of an outage, however long it was (P3).
 *
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @module
 */

export const FIRST_MS = 500;
export const MOST_MS = 4_000;

/**
 * @param {number} failures failed attempts in a row
 * @param {() => number} random in [0, 1)
 * @returns {number} milliseconds
 */
export function delay(failures, random = Math.random) {
  if (failures <= 0) return 0;
  const ceiling = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  return Math.round(random() * ceiling);
}
