/**
 * What every page of a signed-in person does: the list keeps itself fresh, the theme switches, dangers are asked about.
 *
 * @module
 */

import { askFirst } from "ds/ui/frame/confirm.js";
import { switchTheme } from "ds/ui/frame/theme.js";
import { tellTimeZone } from "ds/ui/lib/clock.js";
import { csrfToken } from "ds/ui/lib/http.js";
import { say } from "ds/ui/lib/strings.js";
import { showServersToasts, toast } from "ds/ui/lib/toast.js";
import { copyText } from "ds/ui/markdown/copy-code.js";

const FRESH_MS = 60_000; // what happens in other Sessions shows in the list after at most this long

document.documentElement.classList.add("js");
tellTimeZone();
switchTheme();
askFirst();
showServersToasts();

const refresh = () => document.body.dispatchEvent(new CustomEvent("ds:sessions"));
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh());
addEventListener("pageshow", ({ persisted }) => persisted && refresh());
setInterval(() => document.visibilityState === "visible" && refresh(), FRESH_MS);

document.body.addEventListener("htmx:configRequest", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  detail.headers["X-CSRFToken"] = csrfToken();
});
// The list does not fetch itself while somebody renames something in it.
document.body.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, triggeringEvent } = /** @type {CustomEvent} */ (event).detail.requestConfig;
  if (elt.id === "sessions" && triggeringEvent?.type === "ds:sessions" && isBusy(triggeringEvent))
    event.preventDefault();
});
// What was asked for there is done: the row is one like the others again, whichever refresh comes next.
document.body.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful, requestConfig } = /** @type {CustomEvent} */ (event).detail;
  if (successful && requestConfig.verb === "post")
    elt.closest("#sessions [data-open]")?.removeAttribute("data-open");
});
for (const failed of ["htmx:responseError", "htmx:sendError"]) {
  document.body.addEventListener(failed, (event) => {
    const { elt } = /** @type {CustomEvent} */ (event).detail;
    if (elt.id !== "sessions") toast(say("retry_failed"));
  });
}
document.body.addEventListener("ds:notice", (event) => toast(/** @type {CustomEvent} */ (event).detail.text));
document.addEventListener("keydown", (event) => {
  const close = event.key === "Escape" ? document.querySelector("#sessions [data-open] [data-close]") : null;
  if (close instanceof HTMLElement && close.closest("[data-open]")?.contains(document.activeElement))
    close.click();
});
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-copy-from]") : null;
  const source = button && document.querySelector(button.getAttribute("data-copy-from") ?? "");
  if (source) void copyText(source.textContent ?? "").then(() => toast(say("copied")));
});

/**
 * Is somebody at work in the list, and did nobody there ask for this refresh?
 *
 * @param {Event} event
 */
function isBusy({ target }) {
  const open = document.querySelector("#sessions [data-open]");
  return target === document.body && open !== null && open.contains(document.activeElement);
}
