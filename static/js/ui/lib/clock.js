/**
 * Times as the reader's clock and language have them. The server wrote them as well as it could guess.
 *
 * @module
 */

const TODAY = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });

/**
 * Fill in the `<time>` of an element.
 *
 * @param {ParentNode} within
 * @param {string} at the wire's form
 */
export function showTime(within, at) {
  const time = within.querySelector("time");
  if (!time || !at) return;
  const moment = new Date(at);
  time.dateTime = at;
  time.textContent = TODAY.format(moment);
  time.title = WHOLE.format(moment);
}

/** Tell the server the reader's time zone, for the days of the list. */
export function tellTimeZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) keepCookie("timezone", zone);
}

/**
 * A cookie for a year, for what the server must know before it draws the page.
 *
 * @param {string} name
 * @param {string} value
 */
export function keepCookie(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser, and not over plain HTTP
  document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=31536000; samesite=lax${secure}`;
}
