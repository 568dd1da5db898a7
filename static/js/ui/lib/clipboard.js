/**
 * The clipboard.
 *
 * @module
 */

/**
 * Copies the text. `navigator.clipboard` is missing on a page that is served over plain HTTP from another machine; there the text is
 * copied through a selection.
 *
 * @param {string} text
 */
export async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("aria-hidden", "true");
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("The browser does not let this page copy.");
}
