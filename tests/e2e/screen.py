"""One tab on somebody's device, in the words of who uses it. Each act waits on the page, with a deadline, never for a time."""

import re
from typing import Final, Self

from playwright.sync_api import BrowserContext, Page, expect

from sessions_core.protocol.ids import SessionId
from tests.agents.facts import words

PATIENCE_MS: Final = 10_000
WORDS: Final = 3_000  # of the longest script

# Says so on the console when an answer of the scripted agent is ever anything but w1 w2 w3 …, be it for one frame.
WATCH_WORDS: Final = """
  const whole = Array.from({ length: WORDS }, (_, n) => `w${n + 1}`).join(" ");
  const look = () => {
    for (const part of document.querySelectorAll(".answered [data-part=text]")) {
      const text = part.textContent.replace(/\\s+/g, " ").trim();
      if (/^(w\\d+ ?)+$/.test(text) && !whole.startsWith(text)) console.error(`Words in disorder: ${text}`);
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
""".replace("WORDS", str(WORDS))


class Complaints:
    """What a browser wrote to its console as an error, and what no page caught."""

    def __init__(self, context: BrowserContext) -> None:
        self.heard: list[str] = []
        self._expected: list[str] = []
        context.on("console", lambda said: self.heard.append(said.text) if said.type == "error" else None)
        context.on("weberror", lambda thrown: self.heard.append(str(thrown.error)))

    def expect(self, pattern: str) -> None:
        """What matches is no complaint in this test."""
        self._expected.append(pattern)

    def unexpected(self) -> list[str]:
        return [said for said in self.heard if not any(re.search(each, said) for each in self._expected)]


class Screen:
    """A page of the site at `url`. `page` is Playwright's, for what has no word here."""

    def __init__(self, page: Page, url: str, complaints: Complaints) -> None:
        self.page = page
        self.url = url
        self.complaints = complaints
        self.log = page.get_by_role("log")
        self.box = page.get_by_role("textbox", name="Message", exact=True)
        self.stop_button = page.get_by_role("button", name="Stop", exact=True)
        self.send_button = page.get_by_role("button", name="Send", exact=True)
        self.pill = page.locator("#pill")
        self.said = page.locator(".said")
        self.answer = page.locator(".answered").last
        self.text = self.answer.locator("[data-part=text]").last
        self.note = page.locator("[data-note]").last

    # Going somewhere.

    def open(self, session: SessionId) -> Self:
        """The page of a Session, live."""
        self.go(f"/s/{session}/")
        return self.live()

    def go(self, path: str) -> Self:
        self.page.goto(f"{self.url}{path}", wait_until="domcontentloaded")
        return self

    def reload(self) -> Self:
        self.page.reload(wait_until="domcontentloaded")
        return self

    def live(self) -> Self:
        """Waits until the script is on duty."""
        expect(self.pill).to_have_attribute("data-state", "live", timeout=PATIENCE_MS)
        return self

    # Doing something.

    def write(self, text: str) -> Self:
        """Types, and does not send."""
        self.box.fill(text)
        return self

    def send(self, text: str) -> Self:
        """Writes, sends, and sees it in the conversation."""
        before = self.said.count()
        self.write(text).submit()
        expect(self.said).to_have_count(before + 1, timeout=PATIENCE_MS)
        expect(self.said.last).to_contain_text(text, timeout=PATIENCE_MS)
        return self

    def submit(self) -> Self:
        """Sends what is written, as people do it on this device: on a phone Enter breaks the line."""
        if self.page.evaluate("matchMedia('(pointer: coarse)').matches"):
            self.send_button.click(timeout=PATIENCE_MS)
        else:
            self.box.press("Enter")
        return self

    def stop(self) -> Self:
        self.stop_button.click(timeout=PATIENCE_MS)
        return self

    def press(self, keys: str) -> Self:
        self.page.keyboard.press(keys)
        return self

    def click(self, name: str) -> Self:
        """The button or link of that name."""
        found = self.page.get_by_role("button", name=name, exact=True)
        found.or_(self.page.get_by_role("link", name=name, exact=True)).filter(visible=True).first.click(
            timeout=PATIENCE_MS
        )
        return self

    # Seeing something.

    def see(self, text: str | re.Pattern[str], *, within_ms: float = PATIENCE_MS) -> Self:
        """The text is somewhere on the screen."""
        expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible(timeout=within_ms)
        return self

    def see_no(self, text: str | re.Pattern[str], *, within_ms: float = PATIENCE_MS) -> Self:
        expect(self.page.get_by_text(text).filter(visible=True)).to_have_count(0, timeout=within_ms)
        return self

    def see_word(self, n: int, *, within_ms: float = PATIENCE_MS) -> Self:
        """The last answer has come to its n-th word."""
        expect(self.text).to_contain_text(re.compile(rf"\bw{n}\b"), timeout=within_ms)
        return self

    def see_words(self, count: int, *, within_ms: float = PATIENCE_MS) -> Self:
        """The last answer is finished and is exactly these words, once each and in order."""
        expect(self.answer).to_have_attribute("data-state", "complete", timeout=within_ms)
        expect(self.text).to_have_text(words(count), timeout=PATIENCE_MS)
        return self.see_quiet()

    def see_some_words(self) -> int:
        """The last answer is a beginning of the words; how many."""
        seen = (self.text.text_content() or "").split()
        assert seen == words(len(seen)).split()
        return len(seen)

    def see_note(self, text: str | re.Pattern[str], *, within_ms: float = PATIENCE_MS) -> Self:
        """What is said below the last answer."""
        expect(self.note).to_contain_text(text, timeout=within_ms)
        return self

    def see_quiet(self, *, within_ms: float = PATIENCE_MS) -> Self:
        """Nothing is at work: no Stop, nobody thinks."""
        expect(self.stop_button).to_be_hidden(timeout=within_ms)
        expect(self.page.locator("[data-note][data-kind=thinking]")).to_have_count(0, timeout=within_ms)
        return self

    # What only a test wants to know.

    def mark(self) -> Self:
        """Remembers this very page; `marked` says whether it is still the same, not one loaded again."""
        self.page.evaluate("window.marked = true")
        return self

    @property
    def marked(self) -> bool:
        return bool(self.page.evaluate("window.marked === true"))
