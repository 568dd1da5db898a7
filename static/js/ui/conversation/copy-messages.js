/**
 * Messages as Markdown, on the clipboard.
 *
 * @module
 * @import { Message, Timeline } from "ds/core/timeline-types.js"
 */

import { say } from "ds/ui/lib/strings.js";
import { toast } from "ds/ui/lib/toast.js";
import { copyText } from "ds/ui/markdown/copy-code.js";

/**
 * @param {HTMLElement} root
 * @param {(element: Element) => Message | null} messageAt
 */
export function listenForCopy(root, messageAt) {
  root.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
    const message = button && messageAt(button);
    if (message) void copy(markdownOf(message));
  });
}

/**
 * Everything that is loaded, with who said it.
 *
 * @param {Timeline} timeline
 * @param {string} title
 */
export function copyAll(timeline, title) {
  const said = [...timeline.messages.values()].map(
    (message) => `**${message.actor.name}**\n\n${markdownOf(message)}`,
  );
  return copy([`# ${title}`, ...said].join("\n\n"));
}

/** @param {string} text */
async function copy(text) {
  await copyText(text).then(
    () => toast(say("copied")),
    () => toast(say("retry_failed")),
  );
}

/** @param {Message} message */
function markdownOf({ parts }) {
  return parts
    .filter((part) => part.type === "text")
    .map((part) => part.text)
    .join("");
}
