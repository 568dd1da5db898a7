/**
 * The line below an Answer that is awaited, was stopped, failed or is not whole. chatapp/pages/layout.py makes the same.
 *
 * @module
 * @import { Ended } from "ds/core/events.js"
 * @import { Run } from "ds/core/timeline-types.js"
 */

import { fromTemplate, getSlot } from "ds/ui/lib/dom.js";
import { sentence } from "ds/ui/lib/strings.js";

/**
 * `kind` decides the look; `offer` the button: none, “Try again” or “Go on”.
 *
 * @typedef {{
 *   kind: "thinking" | "queued" | "stopped" | "failed" | "unfinished", text: string, offer: "" | "retry" | "go_on",
 * }} RunStatus
 */
/** @typedef {{me: string, agents: Record<string, string>}} Reader the person who looks: the user's id, and titles of agents by name */
/**
 * `silent`: the Run has written no text yet; `ended`: why its last Message is not whole; `first`: no active Run is before it;
 * `retried`: a later Run answers the same Message; `newest`: it answers the newest Message.
 *
 * @typedef {{silent: boolean, ended: Ended | undefined, first: boolean, retried: boolean, newest: boolean}} Situation
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
      return { kind: "stopped", text: stoppedText(run, reader), offer };
    case "failed":
      return { kind: "failed", text: run.error?.message ?? sentence("failed"), offer };
    case "interrupted":
      return { kind: "failed", text: [sentence("interrupted"), run.reason].filter(Boolean).join(" "), offer };
    case "completed":
      return statusOfCompleted(situation, agent);
    default:
      return statusAtWork(run, situation, agent);
  }
}

/**
 * @param {Situation} situation
 * @param {string} agent
 * @returns {RunStatus | null}
 */
function statusOfCompleted({ silent, ended, retried, newest }, agent) {
  if (ended) {
    const goesOn = ended === "truncated" && !retried && newest;
    return { kind: "unfinished", text: sentence(ended, { agent }), offer: goesOn ? "go_on" : "" };
  }
  return silent ? { kind: "stopped", text: sentence("empty", { agent }), offer: "" } : null;
}

/**
 * @param {Run} run
 * @param {Situation} situation
 * @param {string} agent
 * @returns {RunStatus | null}
 */
function statusAtWork(run, { silent, first }, agent) {
  if (run.cancelRequestedBy) return { kind: "thinking", text: sentence("stopping"), offer: "" };
  if (!first) return { kind: "queued", text: sentence("queued"), offer: "" };
  if (run.progress) return { kind: "thinking", text: progressText(run.progress), offer: "" };
  if (!silent) return null;
  return {
    kind: "thinking",
    text: sentence(run.attempt > 1 ? "again" : "thinking", { agent }),
    offer: "",
  };
}

/** @param {NonNullable<Run["progress"]>} progress */
function progressText({ label, done, total }) {
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

/**
 * Returns the element that shows the status. Keeps `present` if it is of the same kind, so that its animation goes on.
 *
 * @param {HTMLElement | null} present the element on the page now
 * @param {RunStatus | null} status
 * @param {string} run
 * @returns {HTMLElement | null}
 */
export function statusElement(present, status, run) {
  if (!status) return null;
  const fits =
    present?.dataset.kind === status.kind &&
    (present.querySelector("form") !== null) === (status.offer !== "");
  const element = fits ? present : create(status, run);
  const text = getSlot(element, "text");
  if (text.textContent !== status.text) text.textContent = status.text;
  return element;
}

/**
 * @param {RunStatus} status
 * @param {string} run
 */
function create(status, run) {
  const element = fromTemplate(`run-status-${status.kind}`);
  const form = element.querySelector("form");
  if (!form) return element;
  if (status.offer === "retry") form.dataset.retry = run;
  if (status.offer === "") form.remove();
  return element;
}
