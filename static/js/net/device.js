/**
 * The id of this installation, and its label for people.
 *
 * @module
 */

import { newId } from "ds/core/ids.js";

const KEY = "ds:device";
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Returns the uuid of this installation, which is made once. Where storage is forbidden it lasts as long as the page.
 *
 * @param {Pick<Storage, "getItem" | "setItem">} [storage]
 */
export function deviceId(storage) {
  try {
    const store = storage ?? localStorage;
    const stored = store.getItem(KEY);
    if (stored && UUID.test(stored)) return stored;
    const made = newId();
    store.setItem(KEY, made);
    return made;
  } catch {
    return newId();
  }
}

/** In this order: the user agent of a browser also has the names of those below it. @type {[RegExp, string][]} */
const BROWSERS = [
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/\b(Chrome|CriOS|HeadlessChrome)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];
/** @type {[RegExp, string][]} */
const SYSTEMS = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b/, "Mac"],
  [/\bLinux\b/, "Linux"],
];

/** Returns “Firefox on Linux”, as far as the user agent has it. */
export function deviceLabel(userAgent = navigator.userAgent) {
  const find = (/** @type {[RegExp, string][]} */ names) =>
    names.find(([pattern]) => pattern.test(userAgent))?.[1];
  const browser = find(BROWSERS) ?? "Browser";
  const system = find(SYSTEMS);
  return system ? `${browser} on ${system}` : browser;
}
