/**
 * Sentences that appear for a few seconds, and are read aloud by a screen reader.
 *
 * @module
 */

import { findById } from "ds/ui/lib/dom.js";

const SHOWN_MS = 5_000;

/** @param {string} text an empty one is not shown */
export function showToast(text) {
  const place = findById("toasts", HTMLElement);
  if (!place || !text) return;
  const element = document.createElement("div");
  element.className = "toast";
  element.textContent = text;
  place.append(element);
  removeLater(element);
}

/** Removes the toasts that the server has rendered, after the same time. */
export function expireServerToasts() {
  for (const element of document.querySelectorAll("#toasts > .toast")) removeLater(element);
}

/** @param {Element} element */
function removeLater(element) {
  setTimeout(() => element.remove(), SHOWN_MS);
}
