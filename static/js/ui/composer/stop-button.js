/**
 * The Stop button, shown while a Run is active, on every device and after a reload. Esc does the same.
 *
 * @module
 * @import { Timeline } from "ds/core/timeline-types.js"
 * @import { Connection } from "ds/net/connection.js"
 */

import { newId } from "ds/core/ids.js";
import { Refused } from "ds/core/protocol.js";
import { activeRuns } from "ds/core/timeline-runs.js";
import { findById } from "ds/ui/lib/dom.js";
import { showToast } from "ds/ui/lib/toast.js";

/** Elements that Esc closes while they are open. */
const CLOSED_BY_ESCAPE = ":popover-open, dialog[open], #sessions [data-open]";

export class StopButton {
  #isRequested = false;

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
    const active = activeRuns(timeline);
    if (active.length === 0) this.#isRequested = false;
    this.button.hidden = active.length === 0;
    this.button.disabled = this.#isRequested || active.every((run) => run.cancelRequestedBy);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented) return;
    if (document.querySelector(CLOSED_BY_ESCAPE)) return;
    if (this.button && !this.button.hidden && !this.button.disabled) void this.#stop();
  }

  async #stop() {
    if (!this.button) return;
    this.#isRequested = true;
    this.button.disabled = true;
    try {
      await this.connection.command({ type: "cancel", id: newId(), session: this.session });
    } catch (error) {
      // A Run that ended in the same moment is as good as stopped.
      if (error instanceof Refused && error.code !== "run_ended") showToast(error.message);
    } finally {
      this.#isRequested = false;
    }
  }
}
