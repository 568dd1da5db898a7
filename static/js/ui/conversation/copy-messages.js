/**
 * Copies messages as Markdown.
 *
 * @module
 * @import { Message, Timeline } from "ds/core/timeline-types.js"
 */

import { activeBranch } from "ds/core/active-branch.js";
import { copyText } from "ds/ui/lib/clipboard.js";
import { sentence } from "ds/ui/lib/strings.js";
import { showToast } from "ds/ui/lib/toast.js";

/**
 * Makes the copy buttons of messages work.
 *
 * @param {HTMLElement} root
 * @param {(element: Element) => Message | null} messageAt
 */
export function listenForCopyMessage(root, messageAt) {
  root.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
    const message = button && messageAt(button);
    if (message) void copy(markdownOf(message));
  });
}

/**
 * Copies the loaded messages of the active branch, each under its author's name.
 *
 * @param {Timeline} timeline
 * @param {string} title
 */
export function copyConversation(timeline, title) {
  return copy(conversationMarkdown(timeline, title));
}

/**
 * Returns what was said on the active branch, in the order of the page. What waits in the queue was not said yet.
 *
 * @param {Timeline} timeline
 * @param {string} title
 */
export function conversationMarkdown(timeline, title) {
  const { messages } = activeBranch(timeline);
  const said = [...messages.values()].filter(({ state }) => state !== "queued");
  said.sort((one, other) => one.seq - other.seq);
  const texts = said.map((message) => `**${message.actor.name}**\n\n${markdownOf(message)}`);
  return [`# ${title}`, ...texts].join("\n\n");
}

/** @param {string} text */
async function copy(text) {
  await copyText(text).then(
    () => showToast(sentence("copied")),
    () => showToast(sentence("retry_failed")),
  );
}

/** @param {Message} message */
function markdownOf({ parts }) {
  return parts
    .filter((part) => part.type === "text")
    .map((part) => part.text)
    .join("");
}
