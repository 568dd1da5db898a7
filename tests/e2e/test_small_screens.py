"""Screens from a small phone to a laptop."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PageOf
from tests.e2e.orders import FIELDS, ORDER, asks
from tests.e2e.people import Person
from tests.e2e.screen import Screen
from tests.support.scripts import script

WIDE = (
    r"# A heading of some length\n\n| one | two | three | four | five | six |\n|---|---|---|---|---|---|\n"
    r"| aaaaaaaaaaaaaaaa | bbbbbbbbbbbbbbbb | cccccccccccccc | ddddddddddd | eeeeeeeeee | f |\n\n"
    r"```python\nlong = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'\n```\n\n"
    r"Averyveryverylongwordwithoutanybreakinitatallbutgoingonandonandonandonandonandonandon https://example.com/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
)


def sideways(screen: Screen) -> int:
    """Returns by how many pixels the page can be scrolled sideways."""
    return int(screen.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize("screen_of", ["small phone", "phone", "laptop"])
def test_nothing_scrolls_sideways(page_of: PageOf, alice: Person, screen_of: str) -> None:
    screen = page_of(alice, screen_of)
    for path in ("/", "/settings/"):
        assert sideways(screen.go(path)) == 0

    screen.open(alice.session("A title without end " * 8, agent="assistant"))
    screen.send(f'{{"words": 1, "raw": "{WIDE}"}}'.replace("\\", "\\\\"))
    expect(screen.answer).to_have_attribute("data-state", "complete")

    assert sideways(screen) == 0
    assert screen.log.evaluate("box => box.scrollWidth - box.clientWidth") == 0
    screen.send("x" * 400)
    assert screen.log.evaluate("box => box.scrollWidth - box.clientWidth") == 0


def test_nothing_scrolls_sideways_where_an_agent_asks_and_messages_wait(page_of: PageOf, alice: Person) -> None:
    screen = page_of(alice, "small phone").open(alice.session())
    screen.send(script(wait_at=1)).see_word(1).enqueue("x" * 300).stop().see("Paused, because an answer was stopped.")
    screen.click("Edit this message")
    fields = {name: {**field, "description": name * 60} for name, field in FIELDS.items()}

    screen.send(asks({**ORDER, "properties": fields})).click("Send answer").see("This is missing.")

    assert sideways(screen) == 0
    for box in (screen.log, screen.queue, screen.ask):
        assert box.evaluate("box => box.scrollWidth - box.clientWidth") == 0


def test_on_a_phone_the_list_is_a_drawer(page_of: PageOf, alice: Person) -> None:
    other = alice.session("The other one")
    phone = page_of(alice, "phone").open(alice.session("This one"))
    drawer = phone.page.locator("#sidebar")
    expect(drawer).to_be_hidden()

    phone.page.get_by_role("button", name="Show the list of sessions").tap()
    expect(drawer).to_be_visible()
    phone.press("Escape")
    expect(drawer).to_be_hidden()
    phone.page.get_by_role("button", name="Show the list of sessions").tap()
    drawer.get_by_role("link", name="The other one").tap()

    phone.page.wait_for_url(f"**/s/{other}/")
    expect(drawer).to_be_hidden()
    phone.live().send(script(words=4)).see_words(4)


def test_on_a_laptop_the_list_is_always_there(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session("This one"))

    expect(laptop.page.locator("#sidebar")).to_be_visible()
    expect(laptop.page.get_by_role("button", name="Show the list of sessions")).to_be_hidden()


def test_what_is_touched_on_a_phone_is_large_enough(page_of: PageOf, alice: Person) -> None:
    phone = page_of(alice, "phone").open(alice.session())
    phone.send(script(wait_at=1)).see_word(1)

    for button in (
        phone.send_button,
        phone.stop_button,
        phone.page.get_by_role("button", name="Show the list of sessions"),
    ):
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 36
    phone.stop()


def test_a_phone_on_its_side_still_shows_what_is_said(page_of: PageOf, alice: Person) -> None:
    phone = page_of(alice, "phone").open(alice.session())
    phone.send(script(words=300, every_ms=1)).see_words(300)

    phone.page.set_viewport_size({"width": 844, "height": 390})

    expect(phone.text).to_be_in_viewport()
    expect(phone.box).to_be_in_viewport()
    assert sideways(phone) == 0
