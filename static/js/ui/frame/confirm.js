/**
 * “Are you sure?” in the page's own look, for htmx and for plain forms.
 *
 * @module
 */

import { byId } from "ds/ui/lib/dom.js";

/** Ask before what has `hx-confirm` is done. */
export function askFirst() {
  document.body.addEventListener("htmx:confirm", (event) => {
    const { question, issueRequest } = /** @type {CustomEvent} */ (event).detail;
    if (!question) return;
    event.preventDefault();
    void confirmed(question).then((yes) => yes && issueRequest(true));
  });
}

/**
 * @param {string} question
 * @returns {Promise<boolean>}
 */
function confirmed(question) {
  const dialog = byId("confirm", HTMLDialogElement);
  byId("confirm-text", HTMLElement).textContent = question;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
