/**
 * The one WebSocket of a tab: many Subscriptions and commands over a link that is made anew whenever it breaks.
 *
 *     const connection = new Connection({ url, device: deviceId(), label: deviceLabel() });
 *     connection.watch((status) => …);
 *     connection.start();
 *     const unfollow = connection.follow(session, { last: 50 }, { events: (events, range) => … });
 *     const ok = await connection.command({ type: "post", id: newId(), session, parts });
 *
 * It touches the world through `Surroundings` only, and nothing of the page: another site can import it.
 *
 * @module
 * @import { ClientFrame, Command, ErrorFrame, Ok, ServerFrame, Welcome } from "ds/core/protocol.js"
 * @import { Handlers, Start } from "ds/net/subscription.js"
 * @import { Ending } from "ds/net/socket.js"
 * @import { Status } from "ds/net/reconnect.js"
 * @import { Surroundings } from "ds/net/environment.js"
 */

import { Watched } from "ds/core/observable.js";
import { Close } from "ds/core/protocol.js";
import { Commands } from "ds/net/commands.js";
import { browserSurroundings } from "ds/net/environment.js";
import { Reconnect } from "ds/net/reconnect.js";
import { Link } from "ds/net/socket.js";
import { Followings } from "ds/net/subscriptions.js";

export class Connection {
  /** @type {Link | null} */
  #link = null;
  #status = new Watched(/** @type {Status} */ ({ name: "connecting" }));
  #commands;
  #followings;
  #reconnect;

  /**
   * @param {{
   *   url: string, device: string, label?: string, surroundings?: Surroundings, onError?: (frame: ErrorFrame) => void,
   * }} options `device`: a uuid made once per installation; `label`: what people call it, “Firefox on Linux”; `onError`
   *   hears refusals that belong to no command
   */
  constructor({ url, device, label = "", surroundings = browserSurroundings(), onError = () => {} }) {
    this.url = url;
    this.device = device;
    this.label = label;
    this.surroundings = surroundings;
    this.onError = onError;
    /** Who is signed in and what the server allows, by the last link. @type {Welcome | null} */
    this.welcome = null;
    this.now = surroundings.now;
    this.#commands = new Commands(this);
    this.#followings = new Followings(this);
    this.#reconnect = new Reconnect(surroundings, {
      attempt: () => this.#open(),
      abandon: () => this.#link?.abandon(),
      probe: () => this.#link?.probe(),
      tick: () => this.#tick(),
      status: (status) => this.#status.set(status),
    });
  }

  get status() {
    return this.#status.value;
  }

  /** Is there a link that was welcomed? */
  get up() {
    return this.#link?.welcomed ?? false;
  }

  /** Connect, and stay connected until `close`. */
  start() {
    this.#reconnect.start();
  }

  /** Leave for good; unanswered commands reject with the code `closed`. */
  close() {
    this.#link?.abandon();
    this.#reconnect.stop();
    this.#commands.abandon();
  }

  /** Try now: the person asked, or signed in again. */
  retryNow() {
    this.#reconnect.now();
  }

  /**
   * Hear the status; called at once with the present one.
   *
   * @param {(status: Status) => void} watcher
   * @returns {() => void} stops it
   */
  watch(watcher) {
    return this.#status.watch(watcher);
  }

  /**
   * Follow a Session, once at a time: from a cursor (`after`, `epoch`) or cold (`last` so many newest Messages).
   *
   * @param {string} session
   * @param {Start} start
   * @param {Handlers} handlers
   * @returns {() => void} unfollow
   */
  follow(session, start, handlers) {
    return this.#followings.follow(session, start, handlers);
  }

  /**
   * Send a command, again over every new link, until the server answers it; its `id` makes that one effect.
   *
   * @param {Command} frame
   * @returns {Promise<Ok>} rejects with `Refused` ({code, message, retry, retryAfterMs})
   */
  command(frame) {
    return this.#commands.send(frame);
  }

  /**
   * Everything up to `seq` was seen. Only ever moves forward.
   *
   * @param {string} session
   * @param {number} seq
   */
  markRead(session, seq) {
    this.#followings.mark(session, seq);
  }

  /**
   * @param {string} session
   * @param {boolean} active
   */
  typing(session, active) {
    this.send({ type: "typing", session, active });
  }

  /**
   * @param {ClientFrame} frame
   * @returns {boolean} was there a link to send it on? If not it is forgotten
   */
  send(frame) {
    if (!this.#link?.welcomed) return false;
    this.#link.send(frame);
    return true;
  }

  #open() {
    const { url, device, label, surroundings } = this;
    const onFrame = (/** @type {ServerFrame} */ frame) => this.#receive(frame);
    const onEnd = (/** @type {Ending} */ ending) => this.#reconnect.ended(ending);
    try {
      this.#link = new Link({ url, hello: { type: "hello", device, label }, surroundings, onFrame, onEnd });
    } catch (error) {
      onEnd({ code: Close.ABNORMAL, reason: String(error), goodbye: null }); // a browser refuses some addresses at once
    }
  }

  #tick() {
    this.#link?.tick();
    if (!this.up) return;
    this.#commands.tick();
    this.#followings.tick();
  }

  /** @param {ServerFrame} frame */
  #receive(frame) {
    if (frame.type === "welcome") return this.#welcomed(frame);
    if (frame.type === "ok") return this.#commands.ok(frame);
    if (frame.type !== "error") return this.#followings.receive(frame);
    if (this.#commands.refuse(frame)) return;
    this.#followings.refuse(frame);
    this.onError(frame);
  }

  /** @param {Welcome} welcome */
  #welcomed(welcome) {
    // Somebody else signed in: what the one before was about to say is not theirs to say.
    if (this.welcome && this.welcome.user !== welcome.user) this.#commands.abandon();
    this.welcome = welcome;
    this.#followings.resubscribe();
    this.#commands.resend();
    this.#reconnect.live(); // last: who hears it may send more
  }
}
