/**
 * The commands on the queue of a Session. Each returns whether it was carried out; the reason of a refusal is shown.
 *
 * @module
 * @import { Command } from "ds/core/protocol.js"
 */

import { newId } from "ds/core/ids.js";
import { Refused } from "ds/core/protocol.js";
import { showToast } from "ds/ui/lib/toast.js";

export class QueueCommands {
  /**
   * @param {string} session
   * @param {(frame: Command) => Promise<unknown>} send
   */
  constructor(session, send) {
    this.session = session;
    this.send = send;
  }

  /** @type {(message: string, text: string) => Promise<boolean>} */
  edit(message, text) {
    return this.#do({ type: "edit_queued", ...this.#ids(), message, parts: [{ type: "text", text }] });
  }

  /** @param {string} message */
  withdraw(message) {
    return this.#do({ type: "unqueue", ...this.#ids(), message });
  }

  /** Lets a paused queue go on. */
  resume() {
    return this.#do({ type: "resume_queue", ...this.#ids() });
  }

  /** Stops what is at work, and withdraws what waits. */
  stopAll() {
    return this.#do({ type: "cancel", ...this.#ids() });
  }

  #ids() {
    return { id: newId(), session: this.session };
  }

  /** @param {Command} frame */
  async #do(frame) {
    try {
      await this.send(frame);
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      showToast(error.message);
      return false;
    }
  }
}
