/**
 * The page of one Session: takes over what the server drew, and keeps it live.
 *
 * @module
 * @import { LogEvent } from "ds/core/events.js"
 * @import { Changes } from "ds/core/timeline-types.js"
 * @import { Range } from "ds/net/subscription.js"
 */

import { emptyTimeline, fold, prepend } from "ds/core/timeline.js";
import { Connection } from "ds/net/connection.js";
import { deviceId, deviceLabel } from "ds/net/device.js";
import { ownSocketUrl } from "ds/net/environment.js";
import { Sending } from "ds/ui/composer/message-sender.js";
import { Stop } from "ds/ui/composer/stop-button.js";
import { Spoken } from "ds/ui/conversation/announcements.js";
import { Scroll } from "ds/ui/conversation/auto-scroll.js";
import { LogView } from "ds/ui/conversation/conversation-view.js";
import { copyAll, listenForCopy } from "ds/ui/conversation/copy-messages.js";
import { Older } from "ds/ui/conversation/older-messages.js";
import { Reading } from "ds/ui/conversation/read-receipts.js";
import { listenForRetry } from "ds/ui/conversation/retry.js";
import { Pill } from "ds/ui/frame/connection-status.js";
import { listenForRename } from "ds/ui/frame/rename.js";
import { byId, embedded, maybe } from "ds/ui/lib/dom.js";
import { say } from "ds/ui/lib/strings.js";
import { listen as listenForCode } from "ds/ui/markdown/copy-code.js";

/**
 * What chatapp/pages/session_page.py embeds.
 *
 * @type {{
 *   session: string, epoch: number, from: number, to: number, older: boolean, events: LogEvent[], me: string,
 *   agents: Record<string, string>,
 * }}
 */
const start = embedded("start");
const { session } = start;
const reader = { me: start.me, agents: start.agents };
let timeline = emptyTimeline(start.epoch, start.from);
fold(timeline, start.events, start.to);

const log = byId("log", HTMLElement);
const view = new LogView(byId("turns", HTMLElement), timeline, reader);
const connection = new Connection({ url: ownSocketUrl(), device: deviceId(), label: deviceLabel() });
const reading = new Reading((seq) => connection.markRead(session, seq));
const older = new Older({ session, from: start.from, older: start.older, onPage: earlier });
const scroll = new Scroll(log, byId("turns", HTMLElement), byId("jump", HTMLElement), {
  top: () => void older.load(),
  end: () => reading.seen(timeline.cursor),
});
const sending =
  maybe("composer", HTMLFormElement) &&
  new Sending({
    connection,
    session,
    me: start.me,
    events: start.events,
    root: byId("pending", HTMLElement),
    scroll,
  });
const stop = new Stop(connection, session);
const spoken = new Spoken(reader);
new Pill(connection, `/sign-in/?next=${encodeURIComponent(location.pathname)}`);
listenForRetry(log, session);
listenForCopy(log, (element) => view.messageAt(element));
listenForCode(log, { copied: say("copied") });
listenForRename(session);
document.querySelector("[data-copy-all]")?.addEventListener("click", () => void copyAll(timeline, title()));

stop.update(timeline);
reading.seen(timeline.cursor);
connection.follow(
  session,
  { after: start.to, epoch: start.epoch },
  { events: live, removed: gone, refused: gone },
);
connection.start();

/**
 * @param {LogEvent[]} events
 * @param {Range} range
 */
function live(events, range) {
  if (range.fresh) return restart(events, range);
  const changes = fold(timeline, events, range.to);
  sending?.arrived(events);
  view.apply(changes);
  spoken.update(timeline, changes);
  settle(changes);
  if (events.some(({ kind }) => kind.startsWith("session.") || kind.startsWith("run."))) refreshList();
}

/**
 * The log was restored, or this page is from another life of it.
 *
 * @param {LogEvent[]} events
 * @param {Range} range
 */
function restart(events, range) {
  timeline = emptyTimeline(range.epoch, range.from);
  const changes = fold(timeline, events, range.to);
  older.restart(range.older ? range.from : null);
  view.restart(timeline);
  settle(changes);
}

/** @param {LogEvent[]} events what was said before the page */
function earlier(events) {
  scroll.keepPlace(() => view.apply(prepend(timeline, events)));
}

/** @param {Changes} changes */
function settle(changes) {
  stop.update(timeline);
  scroll.settle();
  if (changes.title) showTitle();
}

function title() {
  return timeline.title || say("untitled");
}

function showTitle() {
  byId("title", HTMLElement).textContent = title();
  document.title = `${title()} · Durable Sessions`;
}

function refreshList() {
  document.body.dispatchEvent(new CustomEvent("ds:sessions"));
}

/** It was deleted, or the reader was removed from it: what was typed stays where it is. */
function gone() {
  const lost = byId("lost", HTMLElement);
  lost.querySelector("p")?.replaceChildren(say("ended_elsewhere"));
  lost.hidden = false;
  sending?.end();
  refreshList();
}
