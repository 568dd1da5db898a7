/**
 * Which installation this is, and what people call it.
 *
 * @module
 */

import { newId } from "ds/core/ids.js";

const KEY = "ds:device";
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The uuid of this installation, made once. Where storage is forbidden it lasts as long as the page.
 *
 * @param {Pick<Storage, "getItem" | "setItem">} [storage]
 */
export function deviceId(storage) {
  try {
    const store = storage ?? localStorage;
    const kept = store.getItem(KEY);
    if (kept && UUID.test(kept)) return kept;
    const made = newId();
    store.setItem(KEY, made);
    return made;
  } catch {
    return newId();
  }
}

/** In this order: each browser also says the names of those below it. @type {[RegExp, string][]} */
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

/** “Firefox on Linux”, as far as the browser says. */
export function deviceLabel(userAgent = navigator.userAgent) {
  const name = (/** @type {[RegExp, string][]} */ names) => names.find(([sign]) => sign.test(userAgent))?.[1];
  const browser = name(BROWSERS) ?? "Browser";
  const system = name(SYSTEMS);
  return system ? `${browser} on ${system}` : browser;
}
