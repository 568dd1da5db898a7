/**
 * Announces the changes of a Timeline to screen readers: that an agent answers, its sentences, and its end. The conversation itself
 * has `aria-live=off`, or each word would be read.
 *
 * @module
 * @import { Changes, Timeline } from "ds/core/timeline-types.js"
 * @import { Reader } from "ds/ui/conversation/run-status.js"
 */

import { TERMINAL } from "ds/core/run-states.js";
import { Announcer } from "ds/ui/conversation/announcer.js";
import { runStatus } from "ds/ui/conversation/run-status.js";
import { getById } from "ds/ui/lib/dom.js";
import { sentence } from "ds/ui/lib/strings.js";

export class Announcements {
  #announcer = new Announcer(getById("announcements", HTMLElement));

  /** @param {Reader} reader */
  constructor(reader) {
    this.reader = reader;
  }

  /**
   * @param {Timeline} timeline
   * @param {Changes} changes
   */
  update(timeline, { messages, runs }) {
    for (const id of messages) {
      const message = timeline.messages.get(id);
      if (message?.role !== "assistant") continue;
      const text = message.parts.filter((part) => part.type === "text").map((part) => part.text);
      this.#announcer.stream(id, text.join("\n"));
    }
    for (const id of runs) {
      const run = timeline.runs.get(id);
      if (!run) continue;
      const agent = this.reader.agents[run.agent] ?? run.agent;
      if (run.state === "running" && !run.cancelRequestedBy && !run.progress)
        this.#announcer.announce(sentence("answering", { agent }));
      if (!TERMINAL.has(run.state)) continue;
      const ended = [...timeline.messages.values()].filter((message) => message.run === id).at(-1)?.ended;
      const situation = { silent: false, ended, first: true, retried: true, newest: true };
      const status = runStatus(run, situation, this.reader);
      this.#announcer.finish(status?.text ?? sentence("complete"));
    }
  }
}
