/**
 * All Subscriptions of a Connection: passes each frame to the Subscription of its Session.
 *
 * @module
 * @import { ClientFrame, ErrorFrame, ServerFrame } from "ds/core/protocol.js"
 * @import { Handlers, Start } from "ds/net/subscription-types.js"
 */

import { Subscription } from "ds/net/subscription.js";

export class Subscriptions {
  /** @type {Map<string, Subscription>} */
  #all = new Map();
  /** The highest read mark of each Session, sent again on a new socket. @type {Map<string, number>} */
  #marks = new Map();

  /**
   * @param {{send: (frame: ClientFrame) => boolean, now: () => number, readonly up: boolean}} connection
   */
  constructor(connection) {
    this.connection = connection;
  }

  /**
   * @param {string} session
   * @param {Start} start
   * @param {Handlers} handlers
   * @returns {() => void} unfollow
   */
  follow(session, start, handlers) {
    if (this.#all.has(session)) throw new Error(`Session ${session} is followed already.`);
    const subscription = new Subscription(session, start, handlers, this.connection);
    this.#all.set(session, subscription);
    if (this.connection.up) subscription.subscribe();
    return () => {
      if (this.#all.get(session) !== subscription) return;
      this.#all.delete(session);
      this.connection.send({ type: "unsubscribe", session });
    };
  }

  /**
   * Sends the read mark if it is higher than before.
   *
   * @param {string} session
   * @param {number} seq
   */
  markRead(session, seq) {
    if (seq <= (this.#marks.get(session) ?? 0)) return;
    this.#marks.set(session, seq);
    this.connection.send({ type: "read", session, seq });
  }

  /** Subscribes to all Sessions at their cursors, on a new socket. */
  resubscribe() {
    for (const subscription of this.#all.values()) subscription.subscribe();
    for (const [session, seq] of this.#marks) this.connection.send({ type: "read", session, seq });
  }

  /** To be called about once a second while the connection is up. */
  tick() {
    for (const subscription of this.#all.values()) subscription.tick();
  }

  /** @param {Exclude<ServerFrame, ErrorFrame>} frame */
  receive(frame) {
    switch (frame.type) {
      case "subscribed":
        return this.#all.get(frame.session)?.onSubscribed(frame);
      case "events":
        return this.#all.get(frame.session)?.onEvents(frame);
      case "presence":
        return this.#all.get(frame.session)?.handlers.presence?.(frame.devices);
      case "removed":
        return this.#drop(frame.session)?.handlers.removed?.(frame.reason);
      case "heartbeat":
      case "pong":
        for (const [session, head] of Object.entries(frame.heads)) this.#all.get(session)?.onHead(head);
        return;
      default: // handled elsewhere, or of a later version
    }
  }

  /** @param {ErrorFrame} frame an error that answers no command */
  receiveError(frame) {
    const subscription = this.#all.get(frame.session ?? "");
    if (subscription?.onError(frame)) this.#all.delete(subscription.session);
  }

  /** @param {string} session */
  #drop(session) {
    const subscription = this.#all.get(session);
    this.#all.delete(session);
    this.#marks.delete(session);
    return subscription;
  }
}
