/**
 * What the page says of an Ask and of its answer. chatapp/pages/ask_view.py and wording.py say the same.
 *
 * @module
 * @import { Ask, Person } from "ds/core/timeline-types.js"
 */

import { sentence } from "ds/ui/lib/strings.js";

const SHOWN_DEPTH = 4; // of lists and objects in a value; what is nested deeper is shown as …

/**
 * The person who looks: the user's id, the role in this Session, and titles of agents by name.
 *
 * @typedef {{me: string, agents: Record<string, string>, role?: string}} Reader
 */

/**
 * Returns whether the Ask is open to this person.
 *
 * @param {Ask} ask
 * @param {Reader} reader
 */
export function mayAnswer({ by }, { me, role = "owner" }) {
  return by ? (by.roles ?? []).includes(role) || (by.users ?? []).includes(me) : role !== "viewer";
}

/**
 * Returns why this person cannot answer; empty where they can.
 *
 * @param {Ask} ask
 * @param {Reader} reader
 */
export function whyNot(ask, reader) {
  if (mayAnswer(ask, reader)) return "";
  if (!ask.by) return sentence("ask_not_viewers");
  const { roles = [], users = [] } = ask.by;
  const isOwners = roles.length === 1 && roles[0] === "owner" && users.length === 0;
  return sentence(isOwners ? "ask_only_owner" : "ask_only_named");
}

/**
 * Returns what became of the Ask; empty while it is open.
 *
 * @param {Ask} ask
 * @param {Reader} reader
 */
export function outcome(ask, reader) {
  if (ask.state === "open") return "";
  if (ask.state === "answered") return answeredText(ask, reader);
  if (ask.reason !== "declined") return sentence(`ask_${ask.reason}`);
  if (ask.message) return sentence("ask_replied");
  if (!ask.closedBy) return sentence("ask_declined");
  return sentence("ask_declined_by", { name: nameOf(ask.closedBy, reader) });
}

/**
 * Returns the answer, a row of name and text for each field; that of an approval stands in the outcome already.
 *
 * @param {Ask} ask
 * @returns {[string, string][]}
 */
export function answerRows(ask) {
  if (!("value" in ask)) return [];
  const { kind, value } = ask;
  if (kind === "approval" && isObject(value)) return "input" in value ? valueRows(value.input) : [];
  return valueRows(value);
}

/**
 * Returns the JSON value in words.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function valueText(value, depth = SHOWN_DEPTH) {
  if (typeof value === "string") return value;
  if (value === null) return "–";
  if (typeof value === "boolean") return sentence(value ? "yes" : "no");
  if (typeof value !== "object") return String(value);
  if (depth === 0) return "…";
  if (Array.isArray(value)) return value.map((each) => valueText(each, depth - 1)).join(", ");
  return Object.entries(value)
    .map(([name, each]) => `${name}: ${valueText(each, depth - 1)}`)
    .join(", ");
}

/**
 * @param {unknown} value
 * @returns {[string, string][]}
 */
function valueRows(value) {
  if (!isObject(value)) return [["", valueText(value)]];
  return Object.entries(value).map(([name, each]) => [name, valueText(each)]);
}

/**
 * @param {Ask} ask
 * @param {Reader} reader
 */
function answeredText({ kind, value, answeredBy, deviceLabel: device }, reader) {
  const verb = kind === "approval" && isObject(value) ? decisionOf(value) : "ask_answered";
  const said = sentence(verb, { name: nameOf(answeredBy, reader) });
  return device ? sentence("ask_on_device", { said, device }) : said;
}

/** @param {Record<string, unknown>} value */
function decisionOf({ approve, remember }) {
  if (approve !== true) return "ask_refused";
  return remember === true ? "ask_allowed_always" : "ask_allowed";
}

/**
 * @param {Person | undefined} person
 * @param {Reader} reader
 */
function nameOf(person, { me }) {
  if (!person) return "";
  return person.id === me ? sentence("by_you") : person.name;
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
