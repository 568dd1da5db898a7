/**
 * A new title, typed where the old one stands.
 *
 * @module
 */

import { byId } from "ds/ui/lib/dom.js";
import { csrfToken } from "ds/ui/lib/http.js";
import { say } from "ds/ui/lib/strings.js";
import { toast } from "ds/ui/lib/toast.js";

/** @param {string} session */
export function listenForRename(session) {
  document.querySelector("[data-rename]")?.addEventListener("click", () => {
    byId("menu-session", HTMLElement).hidePopover();
    edit(session);
  });
}

/** @param {string} session */
function edit(session) {
  const title = byId("title", HTMLElement);
  const field = document.createElement("input");
  field.className = "top__rename";
  field.value = title.textContent ?? "";
  field.maxLength = 200;
  field.dir = "auto";
  field.setAttribute("aria-label", say("title"));
  title.hidden = true;
  title.after(field);
  field.select();
  const close = () => {
    field.remove();
    title.hidden = false;
  };
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
    event.preventDefault();
    event.stopPropagation();
    const wanted = field.value.trim();
    if (event.key === "Enter" && wanted && wanted !== title.textContent) void rename(session, wanted);
    field.blur();
  });
}

/**
 * The new title comes back as an Event, on this device as on the others.
 *
 * @param {string} session
 * @param {string} title
 */
async function rename(session, title) {
  const answer = await fetch(`/api/sessions/${session}`, {
    method: "PATCH",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify({ title }),
  }).catch(() => null);
  if (!answer?.ok) toast(say("retry_failed"));
}
