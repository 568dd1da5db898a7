/**
 * All Subscriptions of a Connection, and the frames that are theirs.
 *
 * @module
 * @import { ClientFrame, ErrorFrame, ServerFrame } from "ds/core/protocol.js"
 * @import { Handlers, Start } from "ds/net/subscription.js"
 */

import { Following } from "ds/net/subscription.js";

export class Followings {
  /** @type {Map<string, Following>} */
  #all = new Map();
  /** The highest read mark of each Session, told again on a new link. @type {Map<string, number>} */
  #marks = new Map();

  /**
   * @param {{send: (frame: ClientFrame) => boolean, now: () => number, readonly up: boolean}} link
   */
  constructor(link) {
    this.link = link;
  }

  /**
   * @param {string} session
   * @param {Start} start
   * @param {Handlers} handlers
   * @returns {() => void} unfollow
   */
  follow(session, start, handlers) {
    if (this.#all.has(session)) throw new Error(`Session ${session} is followed already.`);
    const following = new Following(session, start, handlers, this.link);
    this.#all.set(session, following);
    if (this.link.up) following.subscribe();
    return () => {
      if (this.#all.get(session) !== following) return;
      this.#all.delete(session);
      this.link.send({ type: "unsubscribe", session });
    };
  }

  /**
   * @param {string} session
   * @param {number} seq
   */
  mark(session, seq) {
    if (seq <= (this.#marks.get(session) ?? 0)) return;
    this.#marks.set(session, seq);
    this.link.send({ type: "read", session, seq });
  }

  /** There is a new link: go on where each reader stands. */
  resubscribe() {
    for (const following of this.#all.values()) following.subscribe();
    for (const [session, seq] of this.#marks) this.link.send({ type: "read", session, seq });
  }

  tick() {
    for (const following of this.#all.values()) following.tick();
  }

  /** @param {Exclude<ServerFrame, ErrorFrame>} frame */
  receive(frame) {
    switch (frame.type) {
      case "subscribed":
        return this.#all.get(frame.session)?.subscribed(frame);
      case "events":
        return this.#all.get(frame.session)?.events(frame);
      case "presence":
        return this.#all.get(frame.session)?.handlers.presence?.(frame.devices);
      case "removed":
        return this.#drop(frame.session)?.handlers.removed?.(frame.reason);
      case "heartbeat":
      case "pong":
        for (const [session, head] of Object.entries(frame.heads)) this.#all.get(session)?.heard(head);
        return;
      default: // of others, or of a later version
    }
  }

  /** @param {ErrorFrame} frame */
  refuse(frame) {
    const following = this.#all.get(frame.session ?? "");
    if (following?.refuse(frame)) this.#all.delete(following.session);
  }

  /** @param {string} session */
  #drop(session) {
    const following = this.#all.get(session);
    this.#all.delete(session);
    this.#marks.delete(session);
    return following;
  }
}
