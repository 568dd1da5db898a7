/**
 * Loads earlier messages when the reader comes near the top.
 *
 * @module
 * @import { LogEvent } from "ds/core/events.js"
 */

import { findById } from "ds/ui/lib/dom.js";
import { callApi } from "ds/ui/lib/http.js";
import { sentence } from "ds/ui/lib/strings.js";
import { showToast } from "ds/ui/lib/toast.js";

const MESSAGES = 50;

export class OlderMessages {
  #isLoading = false;
  /** Where the messages on the page begin; null: there are none before them. @type {number | null} */
  #from;

  /**
   * @param {{session: string, from: number, older: boolean, onPage: (events: LogEvent[]) => void}} options `from`: the seq before
   *   the page's first Event; `older`: there are messages before it
   */
  constructor({ session, from, older, onPage }) {
    this.session = session;
    this.onPage = onPage;
    this.#from = older ? from : null;
    this.link = findById("older-messages", HTMLElement);
    this.link?.addEventListener("click", (event) => {
      event.preventDefault();
      void this.load();
    });
  }

  /** Starts anew from another seq. @param {number | null} from null: there are no earlier messages */
  restart(from) {
    this.#from = from;
    if (this.link) this.link.hidden = from === null;
  }

  async load() {
    if (this.#isLoading || this.#from === null) return;
    this.#isLoading = true;
    try {
      const from = this.#from;
      const page = await callApi(`/api/sessions/${this.session}/events?before=${from}&last=${MESSAGES}`);
      if (this.#from !== from) return; // restarted meanwhile
      this.restart(page.older ? page.from : null);
      this.onPage(page.events);
    } catch {
      showToast(sentence("load_failed"));
    } finally {
      this.#isLoading = false;
    }
  }
}
