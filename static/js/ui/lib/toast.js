/**
 * A sentence that shows up for a moment, and is read out.
 *
 * @module
 */

import { maybe } from "ds/ui/lib/dom.js";

const SHOWN_MS = 5_000;

/** @param {string} sentence */
export function toast(sentence) {
  const place = maybe("toasts", HTMLElement);
  if (!place || !sentence) return;
  const element = document.createElement("div");
  element.className = "toast";
  element.textContent = sentence;
  place.append(element);
  goSoon(element);
}

/** What the server had to say goes away like the rest. */
export function showServersToasts() {
  for (const element of document.querySelectorAll("#toasts > .toast")) goSoon(element);
}

/** @param {Element} element */
function goSoon(element) {
  setTimeout(() => element.remove(), SHOWN_MS);
}
