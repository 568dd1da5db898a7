/**
 * The states of a Run, in two kinds. The server has them from sessions_core/protocol/run_states.py;
 * tests/fixtures/run_states.json holds both together.
 *
 * @module
 */

const ACTIVE_STATES = /** @type {const} */ (["requested", "running", "waiting"]);
const TERMINAL_STATES = /** @type {const} */ (["completed", "cancelled", "failed", "interrupted"]);

/** @typedef {(typeof ACTIVE_STATES)[number] | (typeof TERMINAL_STATES)[number]} RunState */

/** @type {ReadonlySet<RunState>} */
export const ACTIVE = new Set(ACTIVE_STATES);

/** @type {ReadonlySet<RunState>} */
export const TERMINAL = new Set(TERMINAL_STATES);
