/**
 * Times in the reader's time zone and language. The server has written them in a time zone that may be a guess.
 *
 * @module
 */

import { setCookie } from "ds/ui/lib/cookies.js";

const SHORT = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const DATED = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const LONG = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });

/**
 * Fills in the first `<time>` of an element.
 *
 * @param {ParentNode} within
 * @param {string} at an ISO time, as on the wire
 */
export function showTime(within, at) {
  const time = within.querySelector("time");
  if (!time || !at) return;
  const moment = new Date(at);
  time.dateTime = at;
  time.textContent = SHORT.format(moment);
  time.title = LONG.format(moment);
}

/**
 * Fills in the first `<time>` of an element with a time that is still to come: with its day, unless that is today.
 *
 * @param {ParentNode} within
 * @param {string} at an ISO time
 */
export function showFutureTime(within, at) {
  showTime(within, at);
  const time = within.querySelector("time");
  const moment = new Date(at);
  if (time && moment.toDateString() !== new Date().toDateString()) time.textContent = DATED.format(moment);
}

/** Gives the server the reader's time zone, for the days in the list of Sessions. */
export function sendTimeZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) setCookie("timezone", zone);
}
