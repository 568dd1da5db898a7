/**
 * The line below an Answer that is awaited, waits, was stopped, failed or is not whole. chatapp/pages/run_status.py makes the same.
 *
 * @module
 * @import { Ended } from "ds/core/events.js"
 * @import { Ask, Progress, Run } from "ds/core/timeline-types.js"
 * @import { Reader } from "ds/ui/asks/wording.js"
 */

import { mayAnswer } from "ds/ui/asks/wording.js";
import { sentence } from "ds/ui/lib/strings.js";

/**
 * `kind` decides the look; `offer` the button: none, “Try again” or “Go on”. `until`: a time to show after the text.
 *
 * @typedef {{
 *   kind: "thinking" | "queued" | "waiting" | "stopped" | "failed" | "unfinished", text: string, offer: "" | "retry" | "go_on",
 *   until: string,
 * }} RunStatus
 */
/**
 * `silent`: the Run has written no text yet; `ended`: why its last Message is not whole; `first`: no Run before it has the turn;
 * `retried`: a later Run answers the same Message; `newest`: no Message of a person follows; `asks`: its open ones.
 *
 * @typedef {{
 *   silent: boolean, ended: Ended | undefined, first: boolean, retried: boolean, newest: boolean, asks: Ask[],
 * }} Situation
 */

/**
 * @param {Run} run
 * @param {Situation} situation
 * @param {Reader} reader
 * @returns {RunStatus | null} null: the Answer speaks for itself
 */
export function runStatus(run, situation, reader) {
  const agent = reader.agents[run.agent] ?? run.agent;
  const offer = situation.retried ? "" : "retry";
  switch (run.state) {
    case "cancelled":
      return status("stopped", stoppedText(run, reader), offer);
    case "failed":
      return status("failed", run.error?.message ?? sentence("failed"), offer);
    case "interrupted":
      return status("failed", [sentence("interrupted"), run.reason].filter(Boolean).join(" "), offer);
    case "completed":
      return statusOfCompleted(situation, agent);
    default:
      return statusAtWork(run, situation, reader, agent);
  }
}

/** @type {(kind: RunStatus["kind"], text: string, offer?: RunStatus["offer"], until?: string) => RunStatus} */
function status(kind, text, offer = "", until = "") {
  return { kind, text, offer, until };
}

/**
 * @param {Situation} situation
 * @param {string} agent
 * @returns {RunStatus | null}
 */
function statusOfCompleted({ silent, ended, retried, newest }, agent) {
  if (ended) {
    const goesOn = ended === "truncated" && !retried && newest;
    return status("unfinished", sentence(ended, { agent }), goesOn ? "go_on" : "");
  }
  return silent ? status("stopped", sentence("empty", { agent })) : null;
}

/**
 * @param {Run} run
 * @param {Situation} situation
 * @param {Reader} reader
 * @param {string} agent
 * @returns {RunStatus | null}
 */
function statusAtWork(run, situation, reader, agent) {
  if (run.cancelRequestedBy) return status("thinking", sentence("stopping"));
  if (run.state === "requested" && !situation.first && run.parent === null)
    return status("queued", sentence("queued"));
  if (run.waiting) return statusOfWaiting(run.waiting, situation, reader);
  if (run.progress) return status("thinking", progressText(run.progress));
  if (!situation.silent) return null;
  return status("thinking", sentence(run.attempt > 1 ? "again" : "thinking", { agent }));
}

/**
 * @param {NonNullable<Run["waiting"]>} waiting
 * @param {Situation} situation
 * @param {Reader} reader
 */
function statusOfWaiting({ on, until = "", signal: name = "" }, { asks }, reader) {
  switch (on) {
    case "ask": {
      const mine = asks.some((ask) => mayAnswer(ask, reader));
      return status("waiting", sentence(mine ? "waits_for_you" : "waits_for_answer"));
    }
    case "sleep":
      return status("waiting", sentence(until ? "sleeps" : "sleeps_on"), "", until);
    case "signal":
      return status("waiting", sentence("waits_for_signal", { name }));
    case "children":
      return status("waiting", sentence("waits_for_agents"));
  }
}

/** Returns the progress in one line. @param {Progress} progress */
export function progressText({ label, done, total }) {
  return done === undefined || total === undefined ? label : `${label} · ${done}/${total}`;
}

/**
 * @param {Run} run
 * @param {Reader} reader
 */
function stoppedText({ cancelRequestedBy: by }, { me }) {
  if (!by) return sentence("stopped");
  return by.id === me ? sentence("stopped_by_you") : sentence("stopped_by", { name: by.name });
}
