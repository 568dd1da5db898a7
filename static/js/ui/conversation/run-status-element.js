/**
 * The element of a Run's status.
 *
 * @module
 * @import { RunStatus } from "ds/ui/conversation/run-status.js"
 */

import { fromTemplate, getSlot } from "ds/ui/lib/dom.js";
import { showFutureTime } from "ds/ui/lib/local-time.js";

/**
 * Returns the element that shows the status. Keeps `present` if it is of the same kind, so that its animation goes on.
 *
 * @param {HTMLElement | null} present the element on the page now
 * @param {RunStatus | null} status
 * @param {string} run
 * @returns {HTMLElement | null}
 */
export function statusElement(present, status, run) {
  if (!status) return null;
  const fits =
    present?.dataset.kind === status.kind &&
    (present.querySelector("form") !== null) === (status.offer !== "");
  const element = fits ? present : create(status, run);
  const text = getSlot(element, "text");
  if (text.textContent !== status.text) text.textContent = status.text;
  if (status.until) showFutureTime(element, status.until);
  return element;
}

/**
 * @param {RunStatus} status
 * @param {string} run
 */
function create(status, run) {
  const element = fromTemplate(`run-status-${status.kind}`);
  const form = element.querySelector("form");
  if (!form) return element;
  if (status.offer === "retry") form.dataset.retry = run;
  if (status.offer === "") form.remove();
  return element;
}
