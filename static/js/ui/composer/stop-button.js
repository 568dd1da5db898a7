/**
 * Stop: there while something runs, on every device, also after a reload; Esc does the same.
 *
 * @module
 * @import { Connection } from "ds/net/connection.js"
 * @import { Timeline } from "ds/core/timeline-types.js"
 */

import { newId } from "ds/core/ids.js";
import { Refused } from "ds/core/protocol.js";
import { activeRuns } from "ds/ui/conversation/layout.js";
import { maybe } from "ds/ui/lib/dom.js";
import { toast } from "ds/ui/lib/toast.js";

export class Stop {
  #asked = false;

  /**
   * @param {Connection} connection
   * @param {string} session
   */
  constructor(connection, session) {
    this.connection = connection;
    this.session = session;
    this.button = maybe("stop", HTMLButtonElement);
    this.button?.addEventListener("click", (event) => {
      event.preventDefault();
      void this.#stop();
    });
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {Timeline} timeline */
  update(timeline) {
    if (!this.button) return;
    const active = activeRuns(timeline);
    if (active.length === 0) this.#asked = false;
    this.button.hidden = active.length === 0;
    this.button.disabled = this.#asked || active.every((run) => run.cancelRequestedBy);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented) return;
    if (document.querySelector(":popover-open, dialog[open], #sessions [data-open]")) return; // Esc closes those
    if (this.button && !this.button.hidden && !this.button.disabled) void this.#stop();
  }

  async #stop() {
    if (!this.button) return;
    this.#asked = true;
    this.button.disabled = true;
    try {
      await this.connection.command({ type: "cancel", id: newId(), session: this.session });
    } catch (refused) {
      // That it ended in the same moment is what was wanted.
      if (refused instanceof Refused && refused.code !== "run_ended") toast(refused.message);
    } finally {
      this.#asked = false;
    }
  }
}
