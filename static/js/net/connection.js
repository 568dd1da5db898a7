/**
 * The one connection of a tab: Subscriptions and commands over a WebSocket that is opened again whenever it ends.
 *
 * Uses nothing of the page and reaches the outside through `Environment` only: another site can import it
 * (docs/reference/javascript-client.md).
 *
 * @module
 * @import { ClientFrame, Command, ErrorFrame, Ok, ServerFrame, Welcome } from "ds/core/protocol.js"
 * @import { Environment } from "ds/net/environment.js"
 * @import { Status } from "ds/net/reconnect.js"
 * @import { Ending } from "ds/net/socket.js"
 * @import { Handlers, Start } from "ds/net/subscription-types.js"
 */

import { Observable } from "ds/core/observable.js";
import { Commands } from "ds/net/commands.js";
import { browserEnvironment } from "ds/net/environment.js";
import { Reconnect } from "ds/net/reconnect.js";
import { Socket } from "ds/net/socket.js";
import { Subscriptions } from "ds/net/subscriptions.js";

export class Connection {
  #status = new Observable(/** @type {Status} */ ({ name: "connecting" }));
  #commands = new Commands(this);
  #subscriptions = new Subscriptions(this);
  #reconnect;

  /**
   * @param {{
   *   url: string, device: string, label?: string, environment?: Environment, onError?: (frame: ErrorFrame) => void,
   * }} options `device`: a uuid, made once per installation; `label`: its name for people, “Firefox on Linux”; `onError` gets
   *   the `error` frames that answer no command
   */
  constructor({ url, device, label = "", environment = browserEnvironment(), onError = () => {} }) {
    this.environment = environment;
    this.onError = onError;
    /** The last `welcome`: the signed-in user, and the limits of the server. @type {Welcome | null} */
    this.welcome = null;
    this.now = environment.now;
    const onFrame = (/** @type {ServerFrame} */ frame) => this.#receive(frame);
    const onEnd = (/** @type {Ending} */ ending) => this.#reconnect.onEnded(ending);
    this.#reconnect = new Reconnect(environment, {
      open: () => new Socket({ url, hello: { type: "hello", device, label }, environment, onFrame, onEnd }),
      tick: () => this.#tick(),
      status: (status) => this.#status.set(status),
    });
  }

  get status() {
    return this.#status.value;
  }

  /** True while there is a socket that the server has welcomed. */
  get up() {
    return this.#reconnect.socket?.welcomed ?? false;
  }

  /** Connects, and stays connected until `close`. */
  start() {
    this.#reconnect.start();
  }

  /** Closes for good; pending commands reject with the code `closed`. */
  close() {
    this.#reconnect.stop();
    this.#commands.abandon();
  }

  /** Tries now, also after a refusal: the person asked for it, or has signed in again. */
  retryNow() {
    this.#reconnect.retryNow();
  }

  /** Calls back at once and on each change; returns a function that stops this. @type {(watcher: (status: Status) => void) => () => void} */
  watch(watcher) {
    return this.#status.watch(watcher);
  }

  /**
   * Follows a Session from a cursor (`after`, `epoch`) or from its newest Messages (`last`). One follower per Session. Returns
   * `unfollow`.
   *
   * @type {(session: string, start: Start, handlers: Handlers) => () => void}
   */
  follow(session, start, handlers) {
    return this.#subscriptions.follow(session, start, handlers);
  }

  /**
   * Sends a command, again on each new socket, until the server has answered it. Its `id` makes this one effect. Rejects with
   * `Refused`.
   *
   * @type {(frame: Command) => Promise<Ok>}
   */
  command(frame) {
    return this.#commands.send(frame);
  }

  /** Marks everything up to `seq` as read; the mark only moves forward. @type {(session: string, seq: number) => void} */
  markRead(session, seq) {
    this.#subscriptions.markRead(session, seq);
  }

  /** @type {(session: string, active: boolean) => void} */
  typing(session, active) {
    this.send({ type: "typing", session, active });
  }

  /** @type {(frame: ClientFrame) => boolean} false: there is no socket now, the frame is lost */
  send(frame) {
    if (this.up) this.#reconnect.socket?.send(frame);
    return this.up;
  }

  #tick() {
    if (!this.up) return;
    this.#commands.tick();
    this.#subscriptions.tick();
  }

  /** @param {ServerFrame} frame */
  #receive(frame) {
    if (frame.type === "welcome") return this.#onWelcome(frame);
    if (frame.type === "ok") return this.#commands.onOk(frame);
    if (frame.type !== "error") return this.#subscriptions.receive(frame);
    if (this.#commands.onError(frame)) return;
    this.#subscriptions.receiveError(frame);
    this.onError(frame);
  }

  /** @param {Welcome} welcome */
  #onWelcome(welcome) {
    // Another user has signed in: pending commands are not theirs.
    if (this.welcome && this.welcome.user !== welcome.user) this.#commands.abandon();
    this.welcome = welcome;
    this.#subscriptions.resubscribe();
    this.#commands.resend();
    this.#reconnect.onWelcome(); // last: its watchers may send more
  }
}
