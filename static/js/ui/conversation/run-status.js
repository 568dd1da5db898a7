/**
 * The line below an Answer that is awaited, was stopped or failed. chatapp/pages/layout.py makes the same.
 *
 * @module
 * @import { Run } from "ds/core/timeline-types.js"
 */

import { fromTemplate, getSlot } from "ds/ui/lib/dom.js";
import { sentence } from "ds/ui/lib/strings.js";

/**
 * `kind` decides the look; `retry` offers “Try again”.
 *
 * @typedef {{kind: "thinking" | "queued" | "stopped" | "failed", text: string, retry: boolean}} RunStatus
 */
/** @typedef {{me: string, agents: Record<string, string>}} Reader the person who looks: the user's id, and titles of agents by name */
/**
 * `silent`: the Run has written no text yet; `first`: no active Run is before it; `retried`: a later Run answers the same Message.
 *
 * @typedef {{silent: boolean, first: boolean, retried: boolean}} Situation
 */

/**
 * @param {Run} run
 * @param {Situation} situation
 * @param {Reader} reader
 * @returns {RunStatus | null} null: the Answer speaks for itself
 */
export function runStatus(run, situation, reader) {
  const agent = reader.agents[run.agent] ?? run.agent;
  const retry = !situation.retried;
  switch (run.state) {
    case "cancelled":
      return { kind: "stopped", text: stoppedText(run, reader), retry };
    case "failed":
      return { kind: "failed", text: run.error?.message ?? sentence("failed"), retry };
    case "interrupted":
      return { kind: "failed", text: [sentence("interrupted"), run.reason].filter(Boolean).join(" "), retry };
    case "completed":
      return situation.silent ? { kind: "stopped", text: sentence("empty", { agent }), retry: false } : null;
    default:
      return statusAtWork(run, situation, agent);
  }
}

/**
 * @param {Run} run
 * @param {Situation} situation
 * @param {string} agent
 * @returns {RunStatus | null}
 */
function statusAtWork(run, { silent, first }, agent) {
  if (run.cancelRequestedBy) return { kind: "thinking", text: sentence("stopping"), retry: false };
  if (!first) return { kind: "queued", text: sentence("queued"), retry: false };
  if (run.progress) return { kind: "thinking", text: progressText(run.progress), retry: false };
  if (!silent) return null;
  return {
    kind: "thinking",
    text: sentence(run.attempt > 1 ? "again" : "thinking", { agent }),
    retry: false,
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
    present?.dataset.kind === status.kind && (present.querySelector("form") !== null) === status.retry;
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
  if (status.retry) form.dataset.retry = run;
  else form.remove();
  return element;
}
