/**
 * The script of every page of a signed-in person.
 *
 * @module
 */

import { listenForConfirm } from "ds/ui/frame/confirm.js";
import { keepSessionListFresh } from "ds/ui/frame/session-list.js";
import { listenForTheme } from "ds/ui/frame/theme.js";
import { copyText } from "ds/ui/lib/clipboard.js";
import { csrfToken } from "ds/ui/lib/http.js";
import { sendTimeZone } from "ds/ui/lib/local-time.js";
import { sentence } from "ds/ui/lib/strings.js";
import { expireServerToasts, showToast } from "ds/ui/lib/toast.js";

document.documentElement.classList.add("js");
sendTimeZone();
listenForTheme();
listenForConfirm();
expireServerToasts();
keepSessionListFresh();

document.body.addEventListener("htmx:configRequest", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  detail.headers["X-CSRFToken"] = csrfToken();
});
for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.body.addEventListener(failure, (event) => {
    const { elt } = /** @type {CustomEvent} */ (event).detail;
    if (elt.id !== "sessions") showToast(sentence("retry_failed")); // the list is fetched again by itself
  });
}
document.body.addEventListener("ds:notice", (event) =>
  showToast(/** @type {CustomEvent} */ (event).detail.text),
);
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-copy-from]") : null;
  const source = button && document.querySelector(button.getAttribute("data-copy-from") ?? "");
  if (source) void copyText(source.textContent ?? "").then(() => showToast(sentence("copied")));
});
