/**
 * The clipboard.
 *
 * @module
 */

/**
 * Copies the text without line breaks at its end: a shell would run a command as soon as it is pasted. `navigator.clipboard` is missing on a page that is served over plain HTTP from another machine; there the text is
 * copied through a selection.
 *
 * @param {string} text
 */
export async function copyText(text) {
  const copied = withoutLastBreaks(text);
  if (navigator.clipboard) return navigator.clipboard.writeText(copied);
  const area = document.createElement("textarea");
  area.value = copied;
  area.setAttribute("aria-hidden", "true");
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const succeeded = document.execCommand("copy");
  area.remove();
  if (!succeeded) throw new Error("The browser does not let this page copy.");
}

/** @param {string} text */
export function withoutLastBreaks(text) {
  let end = text.length;
  while (text[end - 1] === "\n" || text[end - 1] === "\r") end--;
  return text.slice(0, end);
}
