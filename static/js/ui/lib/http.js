/**
 * Requests to our own server, with the session's cookie and its CSRF token.
 *
 * @module
 */

import { Refused } from "ds/core/protocol.js";
import { getCookie } from "ds/ui/lib/cookies.js";

/** Returns the CSRF token. Read anew each time: a sign-in changes it, also one in another tab. The page names the cookie. */
export function csrfToken() {
  const name = document.querySelector("meta[name=csrf-cookie]")?.getAttribute("content");
  const field = document.querySelector("input[name=csrfmiddlewaretoken]");
  return (name && getCookie(name)) || (field?.getAttribute("value") ?? "");
}

/**
 * Calls the HTTP API (docs/reference/http.md).
 *
 * @param {string} address
 * @param {{method?: string, headers?: Record<string, string>, body?: string}} [options]
 * @returns {Promise<any>} the parsed answer; null if it has no body
 * @throws {Refused} with the code `unreachable` if there was no answer
 */
export async function callApi(address, { method = "GET", headers = {}, ...options } = {}) {
  const own = method === "GET" ? {} : { "X-CSRFToken": csrfToken() };
  const answer = await fetch(address, {
    method,
    headers: { Accept: "application/json", ...own, ...headers },
    credentials: "same-origin",
    ...options,
  }).catch(() => null);
  if (!answer) throw new Refused({ code: "unreachable", message: "", retry: true });
  const body = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (answer.ok) return body;
  const { code = "refused", message = "", retry = answer.status >= 500 } = body?.error ?? {};
  throw new Refused({ code, message, retry });
}
