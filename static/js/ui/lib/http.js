/**
 * Requests to our own server, with the session's cookie and its CSRF token.
 *
 * @module
 */

import { Refused } from "ds/core/protocol.js";

/** The token is read each time: signing in anew changes it, and so may another tab. */
export function csrfToken() {
  const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
  return cookie ?? document.querySelector("input[name=csrfmiddlewaretoken]")?.getAttribute("value") ?? "";
}

/**
 * @param {string} address
 * @param {{method?: string, headers?: Record<string, string>}} [options]
 * @returns {Promise<any>} what the API answered
 * @throws {Refused} also with the code `unreachable`, when nobody answered
 */
export async function api(address, { method = "GET", headers = {} } = {}) {
  const own = method === "GET" ? {} : { "X-CSRFToken": csrfToken() };
  const answer = await fetch(address, {
    method,
    headers: { Accept: "application/json", ...own, ...headers },
    credentials: "same-origin",
  }).catch(() => null);
  if (!answer) throw new Refused({ code: "unreachable", message: "", retry: true });
  const body = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (answer.ok) return body;
  const { code = "refused", message = "", retry = answer.status >= 500 } = body?.error ?? {};
  throw new Refused({ code, message, retry });
}
