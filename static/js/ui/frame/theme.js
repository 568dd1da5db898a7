/**
 * The theme: light, dark, or the system's. It is in a cookie, so that the server renders the first paint right.
 *
 * @module
 */

import { setCookie } from "ds/ui/lib/cookies.js";

/** Makes the theme buttons work. */
export function listenForTheme() {
  const buttons = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-theme-choice]"));
  const showChoice = () => {
    const theme = document.documentElement.dataset.theme ?? "";
    for (const button of buttons)
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      setTheme(button.dataset.themeChoice ?? "");
      showChoice();
    });
  }
  showChoice();
}

/** @param {string} theme "" for the system's */
function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  setCookie("theme", theme);
}
