/**
 * Renames the Session in the place of its title.
 *
 * @module
 */

import { Refused } from "ds/core/protocol.js";
import { getById } from "ds/ui/lib/dom.js";
import { callApi } from "ds/ui/lib/http.js";
import { sentence } from "ds/ui/lib/strings.js";
import { showToast } from "ds/ui/lib/toast.js";

/**
 * @param {string} session
 * @param {() => string} present returns the title; a translator may have changed the one on the page
 */
export function listenForRename(session, present) {
  document.querySelector("[data-rename]")?.addEventListener("click", () => {
    getById("session-menu", HTMLElement).hidePopover();
    edit(session, present());
  });
}

/**
 * @param {string} session
 * @param {string} before the present title
 */
function edit(session, before) {
  const title = getById("title", HTMLElement);
  const field = createField(before);
  title.hidden = true;
  title.after(field);
  field.select();
  field.addEventListener("blur", () => {
    field.remove();
    title.hidden = false;
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
    event.preventDefault();
    event.stopPropagation();
    const wanted = field.value.trim();
    if (event.key === "Escape" || !wanted || wanted === before) field.blur();
    else void rename(session, wanted).then((isDone) => isDone && field.blur());
  });
}

/** @param {string} title */
function createField(title) {
  const field = document.createElement("input");
  field.className = "top-bar__rename";
  field.value = title;
  field.dir = "auto";
  field.setAttribute("aria-label", sentence("title"));
  return field;
}

/**
 * Sends the new title. It is shown when it comes back as an Event, on this device as on the others.
 *
 * @param {string} session
 * @param {string} title
 * @returns {Promise<boolean>} false: it was refused, and the reason is shown
 */
async function rename(session, title) {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ title });
  try {
    await callApi(`/api/sessions/${session}`, { method: "PATCH", headers, body });
    return true;
  } catch (error) {
    showToast((error instanceof Refused && error.message) || sentence("retry_failed"));
    return false;
  }
}
