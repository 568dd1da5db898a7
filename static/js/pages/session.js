/**
 * The script of the page of a Session: adopts what the server has rendered, and keeps it live.
 *
 * @module
 * @import { LogEvent } from "ds/core/events.js"
 * @import { Changes } from "ds/core/timeline-types.js"
 * @import { Range } from "ds/net/subscription-types.js"
 */

import { newId } from "ds/core/ids.js";
import { emptyTimeline, fold, prepend } from "ds/core/timeline.js";
import { Connection } from "ds/net/connection.js";
import { deviceId, deviceLabel } from "ds/net/device.js";
import { socketUrl } from "ds/net/environment.js";
import { Dock } from "ds/ui/composer/dock.js";
import { Announcements } from "ds/ui/conversation/announcements.js";
import { AutoScroll } from "ds/ui/conversation/auto-scroll.js";
import { ConversationView } from "ds/ui/conversation/conversation-view.js";
import { copyConversation, listenForCopyMessage } from "ds/ui/conversation/copy-messages.js";
import { OlderMessages } from "ds/ui/conversation/older-messages.js";
import { ReadReceipts } from "ds/ui/conversation/read-receipts.js";
import { listenForRetry } from "ds/ui/conversation/retry.js";
import { ConnectionStatus } from "ds/ui/frame/connection-status.js";
import { listenForRename } from "ds/ui/frame/rename.js";
import { refreshSessionList } from "ds/ui/frame/session-list.js";
import { getById, readJson } from "ds/ui/lib/dom.js";
import { sentence } from "ds/ui/lib/strings.js";
import { listenForCopyCode } from "ds/ui/markdown/copy-code.js";

/**
 * The values that chatapp/pages/session_page.py embeds.
 *
 * @type {{
 *   session: string, title: string, epoch: number, from: number, to: number, older: boolean, events: LogEvent[], me: string,
 *   role: string, agents: Record<string, string>,
 * }}
 */
const start = readJson("start");
const { session, me } = start;
const reader = { me, agents: start.agents, role: start.role };
let timeline = emptyTimeline(start.epoch, start.from);
fold(timeline, start.events, start.to);

const conversation = getById("conversation", HTMLElement);
const exchanges = getById("exchanges", HTMLElement);
const connection = new Connection({ url: socketUrl(), device: deviceId(), label: deviceLabel() });
const view = new ConversationView(exchanges, timeline, {
  reader,
  send: (ask, reply) => connection.command({ type: "answer", id: newId(), session, ask, ...reply }),
});
const receipts = new ReadReceipts((seq) => connection.markRead(session, seq));
const older = new OlderMessages({ session, from: start.from, older: start.older, onPage: onOlder });
const scroll = new AutoScroll(conversation, exchanges, getById("jump-to-latest", HTMLElement), {
  nearTop: () => void older.load(),
  atEnd: () => receipts.onSeen(timeline.cursor),
});
const dock = new Dock({ connection, session, reader, events: start.events, conversation, scroll });
const announcements = new Announcements(reader, timeline);
new ConnectionStatus(connection, `/sign-in/?next=${encodeURIComponent(location.pathname)}`);
listenForRetry(conversation, session);
listenForCopyMessage(conversation, (element) => view.messageAt(element));
listenForCopyCode(conversation, { copied: sentence("copied") });
listenForRename(session, title);
document
  .querySelector("[data-copy-all]")
  ?.addEventListener("click", () => void copyConversation(timeline, title()));

dock.show(timeline);
receipts.onSeen(timeline.cursor);
connection.follow(
  session,
  { after: start.to, epoch: start.epoch },
  { events: onEvents, removed: onEnd, refused: onEnd },
);
connection.start();

/**
 * @param {LogEvent[]} events
 * @param {Range} range
 */
function onEvents(events, range) {
  if (range.fresh) return restart(events, range);
  const changes = fold(timeline, events, range.to);
  dock.onEvents(events);
  view.apply(changes);
  announcements.update(timeline, changes);
  afterChange(changes);
  if (events.some(({ kind }) => kind.startsWith("session.") || kind.startsWith("run."))) refreshSessionList();
}

/**
 * Shows another Timeline: the log was restored, or the page is of an earlier epoch.
 *
 * @param {LogEvent[]} events
 * @param {Range} range
 */
function restart(events, range) {
  timeline = emptyTimeline(range.epoch, range.from);
  const changes = fold(timeline, events, range.to);
  older.restart(range.older ? range.from : null);
  view.restart(timeline);
  dock.show(timeline);
  announcements.restart(timeline);
  afterChange(changes);
}

/** @param {LogEvent[]} events from before the page's first */
function onOlder(events) {
  scroll.keepPosition(() => view.apply(prepend(timeline, events)));
}

/** @param {Changes} changes */
function afterChange(changes) {
  dock.apply(timeline, changes);
  scroll.update();
  if (changes.title) showTitle();
}

function title() {
  return (timeline.title ?? start.title) || sentence("untitled");
}

function showTitle() {
  getById("title", HTMLElement).textContent = title();
  document.title = `${title()} · Durable Sessions`;
}

/** Says that the Session was deleted or the reader removed from it. Text in the composer stays. */
function onEnd() {
  const notice = getById("session-ended", HTMLElement);
  notice.querySelector("p")?.replaceChildren(sentence("ended_elsewhere"));
  notice.hidden = false;
  dock.disable();
  refreshSessionList();
}
