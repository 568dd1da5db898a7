/**
 * The copy buttons of code blocks, both of those that the server rendered and of those that were streamed.
 *
 * @module
 */

import { copyText } from "ds/ui/lib/clipboard.js";

const SHOWN_MS = 2_000;

/**
 * Makes the copy buttons of all code blocks in `root` work.
 *
 * @param {Element} root
 * @param {{copied?: string, onCopied?: () => void}} [options] `copied`: the button's text for two seconds afterwards
 * @returns {() => void} stops listening
 */
export function listenForCopyCode(root, { copied = "Copied", onCopied = () => {} } = {}) {
  const stop = new AbortController();
  root.addEventListener(
    "click",
    (event) => {
      const button = event.target instanceof Element ? event.target.closest(".code-copy") : null;
      if (button) void copyCode(button, copied).then(onCopied, () => {});
    },
    { signal: stop.signal },
  );
  return () => stop.abort();
}

/**
 * @param {Element} button
 * @param {string} copied
 */
async function copyCode(button, copied) {
  const code = button.closest(".code")?.querySelector("code")?.textContent ?? "";
  await copyText(code);
  if (button.hasAttribute("data-copied")) return;
  const before = button.textContent;
  button.textContent = copied;
  button.setAttribute("data-copied", "");
  setTimeout(() => {
    button.textContent = before;
    button.removeAttribute("data-copied");
  }, SHOWN_MS);
}
