"""One tab on somebody's device, with methods named for what people do and see. Each waits for the page, never for a time."""

import re
from typing import Final, Self

from playwright.sync_api import BrowserContext, Locator, Page, expect

from sessions_core.protocol.ids import SessionId
from tests.agents.facts import words

WORDS: Final = 3_000  # of the longest script
SHORT: Final = 80  # characters
OUTAGE: Final = r"WebSocket connection|Failed to load resource|ERR_"  # what a browser says about a network that is gone

# Writes an error to the console when the page shows an answer of the scripted agent that is not a beginning of w1 w2 w3 …,
# even for one frame. Keeps every short text that was ever added to the page, because some go away again.
WATCH: Final = """
  const whole = Array.from({ length: WORDS }, (_, n) => `w${n + 1}`).join(" ");
  const look = () => {
    for (const part of document.querySelectorAll(".agent-message [data-part=text]")) {
      const text = part.textContent.replace(/\\s+/g, " ").trim();
      if (/^(w\\d+ ?)+$/.test(text) && !whole.startsWith(text)) console.error(`Words in disorder: ${text}`);
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
  window.shown = new Set();
  const note = ({ textContent: text }) => text && text.length < SHORT && window.shown.add(text.trim());
  new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach(note))).observe(document, {
    subtree: true,
    childList: true,
  });
""".replace("WORDS", str(WORDS)).replace("SHORT", str(SHORT))


class Complaints:
    """The errors on a browser's console, and the exceptions that no page caught."""

    def __init__(self, context: BrowserContext) -> None:
        self.heard: list[str] = []
        self._context = context
        self._expected: list[str] = []
        context.on("console", lambda said: self.heard.append(said.text) if said.type == "error" else None)
        context.on("weberror", lambda thrown: self.heard.append(str(thrown.error)))

    def expect(self, pattern: str) -> None:
        """Errors that match the pattern are no complaints in this test."""
        self._expected.append(pattern)

    def count(self, text: str) -> int:
        """Returns how many complaints so far contain the text."""
        self._context.cookies()  # any call: during it Playwright delivers what the browser has reported
        return sum(text in said for said in self.heard)

    def unexpected(self) -> list[str]:
        return [said for said in self.heard if not any(re.search(each, said) for each in self._expected)]


class Screen:
    """A page of the site at `url`. `page` is Playwright's, for what has no method here."""

    def __init__(self, page: Page, url: str, complaints: Complaints) -> None:
        self.page = page
        self.url = url
        self.complaints = complaints
        self.log = page.get_by_role("log")
        self.box = page.get_by_role("textbox", name="Message", exact=True)
        self.stop_button = page.get_by_role("button", name="Stop", exact=True)
        self.send_button = page.get_by_role("button", name="Send", exact=True)
        self.pill = page.locator("#connection-status")
        self.said = page.locator(".user-message")
        self.posts = page.locator(".user-message, .queued")  # also those that wait for their turn
        self.answer = page.locator(".agent-message").last
        self.text = self.answer.locator("[data-part=text]").last
        self.note = page.locator("[data-run-status]").last
        self.queue = page.get_by_role("region", name="Waits for its turn")
        self.queued = self.queue.get_by_role("listitem")
        self.ask = page.locator("[data-ask]").last

    # Going somewhere.

    def open(self, session: SessionId) -> Self:
        """Opens the page of a Session and waits until it is live."""
        self.go(f"/s/{session}/")
        return self.live()

    def go(self, path: str) -> Self:
        self.page.goto(f"{self.url}{path}", wait_until="domcontentloaded")
        return self

    def reload(self) -> Self:
        self.page.reload(wait_until="domcontentloaded")
        return self

    def live(self) -> Self:
        """Waits until the page's script follows the Session."""
        expect(self.pill).to_have_attribute("data-state", "live")
        return self

    # Doing something.

    def write(self, text: str) -> Self:
        """Types without sending, once the page's script is there: without it Enter breaks the line."""
        self.page.wait_for_load_state("load")
        self.box.fill(text)
        return self

    def send(self, text: str) -> Self:
        """Types, sends, and waits until the message is in the conversation, or waits for its turn."""
        before = self.posts.count()
        self.write(text).submit()
        expect(self.posts).to_have_count(before + 1)
        expect(self.posts.filter(has_text=text)).not_to_have_count(0)
        return self

    def enqueue(self, text: str) -> Self:
        """Types, sends, and waits until the message is the last one in the queue."""
        before = self.queued.count()
        self.write(text).submit()
        expect(self.queued).to_have_count(before + 1)
        expect(self.queued.last).to_contain_text(text)
        return self

    def submit(self) -> Self:
        """Sends the text in the box as people do it on this device: on a phone Enter breaks the line."""
        if self.page.evaluate("matchMedia('(pointer: coarse)').matches"):
            self.send_button.click()
        else:
            self.box.press("Enter")
        return self

    def stop(self) -> Self:
        self.stop_button.click()
        return self

    def press(self, keys: str) -> Self:
        self.page.keyboard.press(keys)
        return self

    def click(self, name: str) -> Self:
        """Clicks the button or link of that name."""
        found = self.page.get_by_role("button", name=name, exact=True)
        found.or_(self.page.get_by_role("link", name=name, exact=True)).filter(visible=True).first.click()
        return self

    # Seeing something.

    def see(self, text: str | re.Pattern[str]) -> Self:
        """Waits until the text is somewhere on the screen."""
        expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible()
        return self

    def see_for_a_moment(self, text: str) -> Self:
        """Waits until exactly this text was added to the page once; it may be gone again."""
        self.page.wait_for_function("text => window.shown.delete(text)", arg=text)
        return self

    def see_no(self, text: str | re.Pattern[str]) -> Self:
        expect(self.page.get_by_text(text).filter(visible=True)).to_have_count(0)
        return self

    def see_word(self, n: int) -> Self:
        """Waits until the last answer has its n-th word."""
        expect(self.text).to_contain_text(re.compile(rf"\bw{n}\b"))
        return self

    def see_words(self, count: int) -> Self:
        """Waits until the last answer is complete and has exactly these words, once each and in order."""
        expect(self.answer).to_have_attribute("data-state", "complete")
        expect(self.text).to_have_text(words(count))
        return self.see_quiet()

    def see_some_words(self) -> int:
        """Checks that the last answer is a beginning of w1 w2 w3 …; returns how many words it has."""
        seen = (self.text.text_content() or "").split()
        assert seen == words(len(seen)).split()
        return len(seen)

    def see_note(self, text: str | re.Pattern[str]) -> Self:
        """Waits until the note below the last answer says that."""
        expect(self.note).to_contain_text(text)
        return self

    def see_queue(self, *texts: str) -> Self:
        """Waits until exactly these messages are in the queue; without one, until there is no queue on the screen."""
        if not texts:
            expect(self.queue).to_be_hidden()
        expect(self.queue.locator("[data-slot=text]")).to_have_text(texts)
        return self

    def see_conversation(self, *texts: str) -> Self:
        """Waits until exactly these texts of people and agents stand in the conversation, in this order."""
        expect(self.log.locator(".user-message__text, .agent-message [data-part=text]")).to_have_text(texts)
        return self

    def see_quiet(self) -> Self:
        """Waits until nothing is at work: there is no Stop, and no note that somebody thinks."""
        expect(self.stop_button).to_be_hidden()
        expect(self.page.locator("[data-run-status][data-kind=thinking]")).to_have_count(0)
        return self

    def has(self, what: Locator) -> bool:
        """Returns whether that is in the page now, without waiting for it."""
        return what.count() > 0

    # What only a test wants to know.

    def mark(self) -> Self:
        """Marks the loaded page; `marked` is False after it was loaded again."""
        self.page.evaluate("window.marked = true")
        return self

    @property
    def marked(self) -> bool:
        return bool(self.page.evaluate("window.marked === true"))
