/**
 * The list of Sessions in the side bar, which htmx fetches from the server: when to fetch it again, and when not.
 *
 * @module
 */

const FRESH_MS = 60_000; // the list shows changes in other Sessions after at most this long

/** Fetches the list again, through the `hx-trigger` of #sessions. */
export function refreshSessionList() {
  document.body.dispatchEvent(new CustomEvent("ds:sessions"));
}

/** Keeps the list fresh while the page is visible. */
export function keepSessionListFresh() {
  const refreshIfVisible = () => document.visibilityState === "visible" && refreshSessionList();
  document.addEventListener("visibilitychange", refreshIfVisible);
  addEventListener("pageshow", ({ persisted }) => persisted && refreshSessionList());
  setInterval(refreshIfVisible, FRESH_MS);
  // A menu may also have been opened while the list was under way, so it is asked twice.
  for (const step of ["htmx:beforeRequest", "htmx:beforeSwap"]) {
    document.body.addEventListener(step, (event) => {
      const { elt, triggeringEvent } = /** @type {CustomEvent} */ (event).detail.requestConfig;
      if (elt.id === "sessions" && triggeringEvent?.type === "ds:sessions" && wouldDisturb(triggeringEvent))
        event.preventDefault();
    });
  }
  // The row's menu has done its work, unless it was refused: the next refresh may replace the row.
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const { elt, xhr, requestConfig } = /** @type {CustomEvent} */ (event).detail;
    if (requestConfig.verb === "post" && xhr.getResponseHeader("HX-Trigger")?.includes("ds:sessions"))
      elt.closest("#sessions [data-open]")?.removeAttribute("data-open");
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && closeMenu());
}

/**
 * Returns whether a refresh would take a menu or field in the list away from the person who uses it, or the row whose menu he
 * has asked for. While the server's answer takes the place of a row, nothing has the focus: that is use, too.
 *
 * @param {Event} refresh
 */
function wouldDisturb({ target }) {
  if (document.querySelector("#sessions .htmx-request")) return true;
  const open = document.querySelector("#sessions [data-open]");
  const { activeElement, body } = document;
  return target === body && open !== null && (activeElement === body || open.contains(activeElement));
}

/** Closes the row's menu that has the focus. */
function closeMenu() {
  const close = document.querySelector("#sessions [data-open] [data-close]");
  if (close instanceof HTMLElement && close.closest("[data-open]")?.contains(document.activeElement))
    close.click();
}
