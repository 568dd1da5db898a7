/**
 * A message's way from the composer into the log: shown at once, sent until the server answers, given back when it refuses.
 *
 * @module
 * @import { LogEvent } from "ds/core/events.js"
 * @import { Connection } from "ds/net/connection.js"
 * @import { Pending } from "ds/ui/pending.js"
 * @import { Scroll } from "ds/ui/scroll.js"
 */

import { newId } from "ds/core/ids.js";
import { Refused } from "ds/core/protocol.js";
import { Composer } from "ds/ui/composer.js";
import { say } from "ds/ui/strings.js";
import { toast } from "ds/ui/toast.js";

export class Sending {
  /** @param {{connection: Connection, session: string, pending: Pending, scroll: Scroll}} page */
  constructor({ connection, session, pending, scroll }) {
    this.connection = connection;
    this.session = session;
    this.pending = pending;
    this.scroll = scroll;
    this.composer = new Composer({ session, onSend: (text) => void this.send(text) });
  }

  /** @param {string} text */
  async send(text) {
    const id = newId();
    this.pending.add(id, text);
    this.composer.clear();
    this.scroll.toEnd();
    try {
      await this.connection.command({
        type: "post",
        id,
        session: this.session,
        parts: [{ type: "text", text }],
      });
    } catch (refused) {
      this.pending.remove(id);
      this.composer.giveBack(text);
      toast(say("not_sent", { reason: refused instanceof Refused ? refused.message : String(refused) }));
    }
  }

  /** What is in the log now is pending no more. @param {LogEvent[]} events */
  arrived(events) {
    for (const event of events) {
      if (event.kind === "message.posted" && event.data.client_id) this.pending.remove(event.data.client_id);
    }
  }

  /** Nothing can be sent any more; what was typed stays. */
  end() {
    this.composer.onSend = () => {};
    this.composer.button.hidden = true;
  }
}
