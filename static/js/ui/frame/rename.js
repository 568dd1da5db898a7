/**
 * Renames the Session in the place of its title.
 *
 * @module
 */

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
    if (event.key === "Enter" && wanted && wanted !== before) void rename(session, wanted);
    field.blur();
  });
}

/** @param {string} title */
function createField(title) {
  const field = document.createElement("input");
  field.className = "top-bar__rename";
  field.value = title;
  field.maxLength = 200;
  field.dir = "auto";
  field.setAttribute("aria-label", sentence("title"));
  return field;
}

/**
 * Sends the new title. It is shown when it comes back as an Event, on this device as on the others.
 *
 * @param {string} session
 * @param {string} title
 */
async function rename(session, title) {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ title });
  await callApi(`/api/sessions/${session}`, { method: "PATCH", headers, body }).catch(() =>
    showToast(sentence("retry_failed")),
  );
}
