/**
 * Light, dark, or as the system has it. Kept in a cookie, so that the server draws the first paint right.
 *
 * @module
 */

import { keepCookie } from "ds/ui/lib/clock.js";

/** Make the switch work. */
export function switchTheme() {
  const buttons = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-theme-choice]"));
  const show = () => {
    const now = document.documentElement.dataset.theme ?? "";
    for (const button of buttons)
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === now));
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      choose(button.dataset.themeChoice ?? "");
      show();
    });
  }
  show();
}

/** @param {string} theme */
function choose(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  keepCookie("theme", theme);
}
