/**
 * The “Try again” button below an answer that failed or was stopped.
 *
 * @module
 */

import { newId } from "ds/core/ids.js";
import { Refused } from "ds/core/protocol.js";
import { callApi } from "ds/ui/lib/http.js";
import { sentence } from "ds/ui/lib/strings.js";
import { showToast } from "ds/ui/lib/toast.js";

/** One idempotency key per Run: pressed twice, the button requests one retry. @type {Map<string, string>} */
const keys = new Map();

/**
 * @param {HTMLElement} root where the forms are
 * @param {string} session
 */
export function listenForRetry(root, session) {
  root.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.dataset.retry) return;
    event.preventDefault();
    void retry(form, session, form.dataset.retry);
  });
}

/**
 * @param {HTMLFormElement} form
 * @param {string} session
 * @param {string} run
 */
async function retry(form, session, run) {
  const button = form.querySelector("button");
  const key = keys.get(run) ?? newId();
  keys.set(run, key);
  if (button) button.disabled = true;
  try {
    const headers = { "Idempotency-Key": key };
    await callApi(`/api/sessions/${session}/runs/${run}/retry`, { method: "POST", headers });
  } catch (error) {
    if (button) button.disabled = false;
    showToast((error instanceof Refused && error.message) || sentence("retry_failed"));
  }
}
