/**
 * The script of the page that begins a Session: sends the form in the background, so that a failing network loses no text.
 *
 * @module
 */

import { newId } from "ds/core/ids.js";
import { Composer } from "ds/ui/composer/composer.js";
import { csrfToken } from "ds/ui/lib/http.js";
import { sentence } from "ds/ui/lib/strings.js";
import { showToast } from "ds/ui/lib/toast.js";

const composer = new Composer({ session: "new", onSend: () => void begin() });
// From the back-forward cache comes a form that was sent: its client id belongs to the Session that it began.
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

async function begin() {
  composer.button.disabled = true;
  const body = new FormData(composer.form);
  body.set("csrfmiddlewaretoken", csrfToken());
  const headers = { Accept: "application/json" };
  const answer = await fetch(composer.form.action, { method: "POST", body, headers }).catch(() => null);
  if (answer?.redirected) return location.assign(answer.url); // the sign-in page; the draft is kept
  const result = await answer?.json().catch(() => null);
  if (result?.url) {
    composer.clear();
    composer.draft.save();
    return location.assign(result.url);
  }
  composer.button.disabled = false;
  // After a 5xx nobody knows whether the Session was begun: with the same id it is begun once (P5).
  if (answer && answer.status < 500)
    composer.form.querySelector("input[name=client_id]")?.setAttribute("value", newId());
  showToast(result?.problem || result?.error?.message || sentence("send_failed"));
}
