/**
 * Copying of code, from blocks that the server rendered and from those that were streamed: by their buttons, and by hand.
 *
 * @module
 */

import { copyText, withoutLastBreaks } from "ds/ui/lib/clipboard.js";

const SHOWN_MS = 2_000;

/**
 * Makes the copy buttons of all code blocks in `root` work, and keeps the line break at a block's end out of what is copied by hand.
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
  document.addEventListener("copy", copySelectedCode, { signal: stop.signal });
  return () => stop.abort();
}

/**
 * Copies a selection of nothing but code without the line break at its end: a shell would run it as soon as it is pasted.
 *
 * @param {ClipboardEvent} event
 */
function copySelectedCode(event) {
  const selection = getSelection();
  const text = withoutLastBreaks(String(selection));
  const start = selection?.rangeCount ? selection.getRangeAt(0).startContainer : null;
  const within = start instanceof Element ? start : start?.parentElement;
  const code = within?.closest(".code")?.querySelector("code")?.textContent;
  if (!text || !code?.includes(text)) return;
  event.clipboardData?.setData("text/plain", text);
  event.preventDefault();
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
