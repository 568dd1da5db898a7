/**
 * The Stop button, shown while a Run is active, on every device and after a reload. It stops the answer at work, and what waits in
 * the queue stays there. Esc does the same.
 *
 * @module
 * @import { Run, Timeline } from "ds/core/timeline-types.js"
 * @import { Connection } from "ds/net/connection.js"
 */

import { newId } from "ds/core/ids.js";
import { Refused } from "ds/core/protocol.js";
import { runToStop } from "ds/core/timeline-turns.js";
import { findById } from "ds/ui/lib/dom.js";
import { showToast } from "ds/ui/lib/toast.js";

/** Elements that Esc closes while they are open. */
const CLOSED_BY_ESCAPE = ":popover-open, dialog[open], #sessions [data-open]";
/** Forms in which Esc is no word about the answer. */
const OTHER_FORMS = ".ask, .queued";

export class StopButton {
  /** The Run that the button is about. @type {Run | undefined} */
  #run;
  /** The id of the Run whose stop is under way. */
  #requested = "";

  /**
   * @param {Connection} connection
   * @param {string} session
   */
  constructor(connection, session) {
    this.connection = connection;
    this.session = session;
    this.button = findById("stop", HTMLButtonElement);
    this.button?.addEventListener("click", (event) => {
      event.preventDefault();
      void this.#stop();
    });
    document.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** @param {Timeline} timeline */
  update(timeline) {
    if (!this.button) return;
    this.#run = runToStop(timeline);
    this.button.hidden = !this.#run;
    this.button.disabled = this.#run?.id === this.#requested || Boolean(this.#run?.cancelRequestedBy);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented) return;
    if (document.querySelector(CLOSED_BY_ESCAPE)) return;
    if (event.target instanceof Element && event.target.closest(OTHER_FORMS)) return;
    if (this.button && !this.button.hidden && !this.button.disabled) void this.#stop();
  }

  async #stop() {
    const run = this.#run?.id;
    if (!this.button || !run) return;
    this.#requested = run;
    this.button.disabled = true;
    try {
      await this.connection.command({ type: "cancel", id: newId(), session: this.session, run });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.code === "run_ended") return; // in the same moment: that is as good as stopped
      showToast(error.message);
      this.button.disabled = false;
    } finally {
      this.#requested = "";
    }
  }
}
