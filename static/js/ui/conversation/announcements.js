/**
 * Announces the changes of a Timeline to screen readers: that an agent answers, its sentences, what it asks, and its
 * end. The conversation itself has `aria-live=off`, or each word would be read.
 *
 * @module
 * @import { Changes, Run, Timeline } from "ds/core/timeline-types.js"
 * @import { Reader } from "ds/ui/asks/wording.js"
 */

import { TERMINAL } from "ds/core/run-states.js";
import { isWithdrawn } from "ds/core/timeline-turns.js";
import { Announcer } from "ds/ui/conversation/announcer.js";
import { runStatus } from "ds/ui/conversation/run-status.js";
import { getById } from "ds/ui/lib/dom.js";
import { sentence } from "ds/ui/lib/strings.js";

export class Announcements {
  #announcer = new Announcer(getById("announcements", HTMLElement));
  /** The seq up to which everything was announced, or was on the page when it was opened. */
  #cursor = 0;
  /** The Runs that were announced to answer. @type {Set<string>} */
  #answering = new Set();

  /**
   * @param {Reader} reader
   * @param {Timeline} timeline as the page shows it at first
   */
  constructor(reader, timeline) {
    this.reader = reader;
    this.restart(timeline);
  }

  /** Goes on with another Timeline. @param {Timeline} timeline */
  restart({ cursor }) {
    this.#cursor = cursor;
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
      if (run) this.#announceRun(run, timeline);
    }
    this.#cursor = timeline.cursor;
  }

  /**
   * @param {Run} run
   * @param {Timeline} timeline
   */
  #announceRun(run, timeline) {
    const agent = this.reader.agents[run.agent] ?? run.agent;
    const isAnswering = run.state === "running" && !run.cancelRequestedBy && !run.progress;
    if (isAnswering && !this.#answering.has(run.id))
      this.#announcer.announce(sentence("answering", { agent }));
    if (isAnswering) this.#answering.add(run.id);
    else this.#answering.delete(run.id);
    const asked = [...timeline.asks.values()].filter((ask) => ask.run === run.id && ask.state === "open");
    const titles = asked.filter(({ seq }) => seq > this.#cursor).map(({ title }) => title);
    if (titles.length > 0) this.#announcer.interject(sentence("asks", { agent, title: titles.join(" · ") }));
    if (!TERMINAL.has(run.state) || isWithdrawn(run, timeline)) return;
    const ended = [...timeline.messages.values()].filter((message) => message.run === run.id).at(-1)?.ended;
    const situation = { silent: false, ended, first: true, retried: true, newest: true, asks: [] };
    const status = runStatus(run, situation, this.reader);
    this.#announcer.finish(status?.text ?? sentence("complete"));
  }
}
