/**
 * What people do with rendered Markdown, on text from the server and on text from the stream alike.
 *
 * @module
 */

const SHOWN_MS = 2_000;

/**
 * Make the copy buttons of all code in `root` work.
 *
 * @param {Element} root
 * @param {{copied?: string, onCopied?: () => void}} [options] `copied`: what the button says afterwards, for two seconds
 * @returns {() => void} stops it
 */
export function listen(root, { copied = "Copied", onCopied = () => {} } = {}) {
  const stop = new AbortController();
  root.addEventListener(
    "click",
    (event) => {
      const button = event.target instanceof Element ? event.target.closest(".code-copy") : null;
      if (button) void copy(button, copied).then(onCopied, () => {});
    },
    { signal: stop.signal },
  );
  return () => stop.abort();
}

/**
 * @param {Element} button
 * @param {string} copied
 */
async function copy(button, copied) {
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

/**
 * Put the text on the clipboard. A page served over plain HTTP from another machine has no clipboard of its own; the old way
 * through a selection still works there.
 *
 * @param {string} text
 */
export async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("aria-hidden", "true");
  area.className = "offscreen";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("The browser does not let this page copy.");
}
