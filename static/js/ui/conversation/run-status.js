/**
 * What is said below an answer when it is not simply there: that it is being thought of, waits, was stopped, or failed.
 * The same as chatapp/pages/layout.py says.
 *
 * @module
 * @import { Run } from "ds/core/timeline-types.js"
 */

import { slot, stencil } from "ds/ui/lib/dom.js";
import { say } from "ds/ui/lib/strings.js";

/** @typedef {{kind: "thinking" | "queued" | "stopped" | "failed", text: string, retry: boolean}} Note */
/** @typedef {{me: string, agents: Record<string, string>}} Reader who looks, and what people call the agents */
/** @typedef {{silent: boolean, first: boolean, retried: boolean}} About `silent`: nothing was said yet; `first`: its turn has come */

/**
 * @param {Run} run
 * @param {About} about
 * @param {Reader} reader
 * @returns {Note | null}
 */
export function noteOf(run, about, reader) {
  const agent = reader.agents[run.agent] ?? run.agent;
  const retry = !about.retried;
  switch (run.state) {
    case "cancelled":
      return { kind: "stopped", text: stoppedBy(run, reader), retry };
    case "failed":
      return { kind: "failed", text: run.error?.message ?? say("failed"), retry };
    case "interrupted":
      return { kind: "failed", text: `${say("interrupted")} ${run.reason ?? ""}`.trim(), retry };
    case "completed":
      return about.silent ? { kind: "stopped", text: say("empty", { agent }), retry: false } : null;
    default:
      return atWork(run, about, agent);
  }
}

/**
 * @param {Run} run
 * @param {About} about
 * @param {string} agent
 * @returns {Note | null}
 */
function atWork(run, { silent, first }, agent) {
  if (run.cancelRequestedBy) return { kind: "thinking", text: say("stopping"), retry: false };
  if (!first) return { kind: "queued", text: say("queued"), retry: false };
  if (run.progress) return { kind: "thinking", text: progressOf(run.progress), retry: false };
  if (!silent) return null;
  return { kind: "thinking", text: say(run.attempt > 1 ? "again" : "thinking", { agent }), retry: false };
}

/** @param {NonNullable<Run["progress"]>} progress */
function progressOf({ label, done, total }) {
  return done === undefined || total === undefined ? label : `${label} · ${done}/${total}`;
}

/**
 * @param {Run} run
 * @param {Reader} reader
 */
function stoppedBy({ cancelRequestedBy: by }, { me }) {
  if (!by) return say("stopped");
  return by.id === me ? say("stopped_by_you") : say("stopped_by", { name: by.name });
}

/**
 * The element that shows the note: the one that is there, if it can go on.
 *
 * @param {HTMLElement | null} there
 * @param {Note | null} note
 * @param {string} run
 * @returns {HTMLElement | null}
 */
export function noteElement(there, note, run) {
  if (!note) return null;
  const same = there?.dataset.kind === note.kind && (there.querySelector("form") !== null) === note.retry;
  const element = same && there ? there : drawn(note, run);
  const text = slot(element, "text");
  if (text.textContent !== note.text) text.textContent = note.text;
  return element;
}

/**
 * @param {Note} note
 * @param {string} run
 */
function drawn(note, run) {
  const element = stencil(`note-${note.kind}`);
  const form = element.querySelector("form");
  if (!form) return element;
  if (note.retry) form.dataset.retry = run;
  else form.remove();
  return element;
}
