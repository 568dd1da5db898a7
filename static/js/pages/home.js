/**
 * A new Session: its first message goes to the server as a form does, but a lost network loses no text.
 *
 * @module
 */

import { newId } from "ds/core/ids.js";
import { Composer } from "ds/ui/composer/composer.js";
import { csrfToken } from "ds/ui/lib/http.js";
import { say } from "ds/ui/lib/strings.js";
import { toast } from "ds/ui/lib/toast.js";

const composer = new Composer({ session: "new", onSend: () => void begin() });
// Back by the history: the form of then was used; its id must not mean the old Session.
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

async function begin() {
  composer.button.disabled = true;
  const body = new FormData(composer.form);
  body.set("csrfmiddlewaretoken", csrfToken());
  const headers = { Accept: "application/json" };
  const answer = await fetch(composer.form.action, { method: "POST", body, headers }).catch(() => null);
  if (answer?.redirected) return location.assign(answer.url); // signed out: the draft waits
  const said = await answer?.json().catch(() => null);
  if (said?.url) {
    composer.empty();
    composer.draft.keep();
    return location.assign(said.url);
  }
  composer.button.disabled = false;
  if (answer) composer.form.querySelector("input[name=client_id]")?.setAttribute("value", newId());
  toast(said?.problem || say("send_failed"));
}
