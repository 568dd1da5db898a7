/**
 * Earlier messages, fetched when the reader comes near the top.
 *
 * @module
 * @import { LogEvent } from "ds/core/events.js"
 */

import { maybe } from "ds/ui/lib/dom.js";
import { api } from "ds/ui/lib/http.js";
import { say } from "ds/ui/lib/strings.js";
import { toast } from "ds/ui/lib/toast.js";

const MESSAGES = 50;

export class Older {
  #busy = false;
  /** @type {number | null} */
  #from;

  /**
   * @param {{session: string, from: number, older: boolean, onPage: (events: LogEvent[]) => void}} options `from`: the seq
   *   above which the page begins; `older`: there is something before it
   */
  constructor({ session, from, older, onPage }) {
    this.session = session;
    this.onPage = onPage;
    this.#from = older ? from : null;
    this.link = maybe("older", HTMLElement);
    this.link?.addEventListener("click", (event) => {
      event.preventDefault();
      void this.load();
    });
  }

  /** Begin anew at another page. @param {number | null} from */
  restart(from) {
    this.#from = from;
    if (this.link) this.link.hidden = from === null;
  }

  async load() {
    if (this.#busy || this.#from === null) return;
    this.#busy = true;
    try {
      const from = this.#from;
      const page = await api(`/api/sessions/${this.session}/events?before=${from}&last=${MESSAGES}`);
      if (this.#from !== from) return; // begun anew meanwhile
      this.restart(page.older ? page.from : null);
      this.onPage(page.events);
    } catch {
      toast(say("load_failed"));
    } finally {
      this.#busy = false;
    }
  }
}
