/**
 * The foot of the page of a Session: the composer, the Stop button, and the messages that wait for their turn.
 *
 * @module
 * @import { LogEvent } from "ds/core/events.js"
 * @import { Changes, Timeline } from "ds/core/timeline-types.js"
 * @import { Connection } from "ds/net/connection.js"
 * @import { Reader } from "ds/ui/asks/wording.js"
 * @import { AutoScroll } from "ds/ui/conversation/auto-scroll.js"
 */

import { listenForGoOn } from "ds/ui/composer/go-on.js";
import { MessageSender } from "ds/ui/composer/message-sender.js";
import { QueueCommands } from "ds/ui/composer/queue-commands.js";
import { QueuePanel } from "ds/ui/composer/queue-panel.js";
import { StopButton } from "ds/ui/composer/stop-button.js";
import { findById, getById } from "ds/ui/lib/dom.js";

export class Dock {
  /** Absent where the reader may not write. @type {MessageSender | null} */
  #sender = null;

  /**
   * @param {{
   *   connection: Connection, session: string, reader: Reader, events: LogEvent[], conversation: HTMLElement, scroll: AutoScroll,
   * }} options `events`: those that the page has
   */
  constructor({ connection, session, reader, events, conversation, scroll }) {
    if (findById("composer", HTMLFormElement)) {
      const root = getById("pending-messages", HTMLElement);
      const sender = new MessageSender({ connection, session, me: reader.me, events, root, scroll });
      listenForGoOn(conversation, (text) => sender.send(text));
      this.#sender = sender;
    }
    this.stop = new StopButton(connection, session);
    this.queue = new QueuePanel({
      commands: new QueueCommands(session, (frame) => connection.command(frame)),
      session,
      reader,
      restore: (text) => this.#sender?.composer.restore(text),
    });
  }

  /** Removes the pending messages that these Events are of. @param {LogEvent[]} events */
  onEvents(events) {
    this.#sender?.onEvents(events);
  }

  /**
   * Follows the Timeline after a fold.
   *
   * @param {Timeline} timeline
   * @param {Changes} changes
   */
  apply(timeline, { queue, runs, removed, messages }) {
    const isUsers = (/** @type {string} */ id) => timeline.messages.get(id)?.role === "user";
    if (queue || runs.size > 0 || removed.size > 0 || [...messages].some(isUsers)) this.show(timeline);
  }

  /** Shows what can be stopped and steered, and what waits. @param {Timeline} timeline */
  show(timeline) {
    this.stop.update(timeline);
    this.queue.update(timeline);
    this.#sender?.update(timeline);
  }

  /** Ends sending; the text in the composer stays. */
  disable() {
    this.#sender?.disable();
  }
}
