/**
 * The question before a dangerous action, as a dialog of the page in place of the browser's.
 *
 * @module
 */

import { getById } from "ds/ui/lib/dom.js";

/** Asks before htmx sends the request of an element with `hx-confirm`. */
export function listenForConfirm() {
  document.body.addEventListener("htmx:confirm", (event) => {
    const { question, issueRequest } = /** @type {CustomEvent} */ (event).detail;
    if (!question) return;
    event.preventDefault();
    void confirmed(question).then((yes) => yes && issueRequest(true));
  });
}

/**
 * @param {string} question
 * @returns {Promise<boolean>} true: the person said yes
 */
export function confirmed(question) {
  const dialog = getById("confirm", HTMLDialogElement);
  getById("confirm-text", HTMLElement).textContent = question;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
