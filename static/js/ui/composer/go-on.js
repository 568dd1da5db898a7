/**
 * The “Go on” button below an answer that its model's limit has cut: sends its text as a message of the person.
 *
 * @module
 */

/**
 * @param {HTMLElement} root where the forms are
 * @param {(text: string) => void} send
 */
export function listenForGoOn(root, send) {
  root.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.dataset.goOn === undefined) return;
    event.preventDefault();
    const button = form.querySelector("button");
    if (button) button.disabled = true; // a second click in the same moment; the form goes when the message comes
    send(String(new FormData(form).get("text")));
  });
}
