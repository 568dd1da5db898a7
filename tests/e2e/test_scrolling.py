"""The page scrolls by itself while the reader is at its end; else only the reader scrolls it."""

from typing import Final

from playwright.sync_api import expect

from tests.e2e.conftest import PageOf
from tests.e2e.people import Person
from tests.e2e.screen import Screen
from tests.e2e.site import Site
from tests.support.scripts import script
from tests.support.waiting import until

NEAR_PX: Final = 6
LONG: Final = script(words=900, every_ms=4)


def from_end(screen: Screen) -> float:
    """Returns how far the reader is from the end of the conversation, in px."""
    return float(screen.log.evaluate("box => box.scrollHeight - box.clientHeight - box.scrollTop"))


def is_long(screen: Screen) -> None:
    """Waits until there is more than the screen can show."""
    until(lambda: screen.log.evaluate("box => box.scrollHeight > box.clientHeight + 300"))


def test_at_the_end_the_page_stays_at_the_end(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice, viewport={"width": 700, "height": 500}).open(alice.session())
    laptop.send(LONG)

    is_long(laptop)
    for n in (500, 700):
        laptop.see_word(n)
        until(lambda: from_end(laptop) < NEAR_PX)
    laptop.see_words(900)
    until(lambda: from_end(laptop) < NEAR_PX)


def test_one_notch_up_and_the_page_never_moves_by_itself(page_of: PageOf, alice: Person, site: Site) -> None:
    session = alice.session()
    laptop = page_of(alice, viewport={"width": 700, "height": 500}).open(session)
    laptop.send(script(words=900, every_ms=4, wait_at=700)).see_word(500)
    is_long(laptop)
    laptop.log.hover()

    laptop.page.mouse.wheel(0, -120)
    until(lambda: from_end(laptop) > 60)
    before = laptop.log.evaluate("box => box.scrollTop")
    site.allow(session, 900)
    laptop.see_words(900)
    assert abs(laptop.log.evaluate("box => box.scrollTop") - before) < 130  # the rest of the smooth notch itself

    laptop.click("Jump to latest")
    until(lambda: from_end(laptop) < NEAR_PX)
    expect(laptop.page.get_by_role("button", name="Jump to latest")).to_be_hidden()


def test_a_long_conversation_opens_at_its_end(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    alice.talked(session, messages=130)

    laptop = page_of(alice).open(session)

    laptop.see("Answer 130 of a long conversation")
    until(lambda: from_end(laptop) < NEAR_PX)


def test_earlier_messages_come_when_the_reader_goes_up(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    alice.talked(session, messages=130)
    laptop = page_of(alice).open(session)
    first = laptop.page.get_by_text("Question 1 of a long conversation", exact=True)
    expect(first).to_have_count(0)

    laptop.log.focus()
    until(lambda: laptop.press("Home").has(first))

    expect(first).to_have_count(1)
    texts = laptop.said.locator(".user-message__text").all_text_contents()
    assert texts == [f"Question {n} of a long conversation" for n in range(1, 131)]


def test_selected_text_survives_what_streams_after_it(page_of: PageOf, alice: Person, site: Site) -> None:
    laptop = page_of(alice).open(alice.session(agent="assistant"))
    laptop.send('{"words": 700, "every_ms": 4, "wait_at": 5, "raw": "The first paragraph.\\\\n\\\\nThe second"}')
    laptop.see("The first paragraph.").see("w5")
    laptop.page.evaluate("getSelection().selectAllChildren(document.querySelector('.agent-message p'))")

    site.provider.allow(700)
    expect(laptop.answer).to_have_attribute("data-state", "complete")

    assert laptop.page.evaluate("getSelection().toString()") == "The first paragraph."
