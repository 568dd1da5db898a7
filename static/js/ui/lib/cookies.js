/**
 * Cookies for values that the server needs before it renders a page.
 *
 * @module
 */

/**
 * Sets a cookie for a year, if the browser lets this page.
 *
 * @param {string} name
 * @param {string} value
 */
export function setCookie(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  try {
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser, and not over plain HTTP
    document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=31536000; samesite=lax${secure}`;
  } catch {
    // cookies are forbidden
  }
}

/**
 * Returns the cookie's value; "" if there is none or cookies are forbidden.
 *
 * @param {string} name
 */
export function getCookie(name) {
  try {
    return document.cookie.match(`(?:^|; )${name}=([^;]+)`)?.[1] ?? "";
  } catch {
    return "";
  }
}
