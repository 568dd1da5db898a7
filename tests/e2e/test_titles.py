"""Titles are counted as people count: no emoji is cut, and one that is too long says so and stays to be shortened."""

from typing import Final

from playwright.sync_api import Locator, expect

from tests.e2e.conftest import PageOf
from tests.e2e.people import Person
from tests.e2e.screen import Screen

COUPLE: Final = "👩\u200d💻"  # one emoji, three code points, five UTF-16 units
LONG: Final = COUPLE * 60
TOO_LONG: Final = "🎉" * 201
REFUSAL: Final = "The title has 201 characters; at most 200 are possible."


def test_a_title_of_emoji_is_kept_whole_in_the_top_bar(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session("Before"))
    laptop.click("More about this session").click("Rename")
    _renames(laptop, laptop.page.get_by_role("textbox", name="Title", exact=True))


def test_a_title_of_emoji_is_kept_whole_in_the_list(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session("Before"))
    laptop.click("Rename, archive or delete “Before”")
    laptop.page.locator("#sessions").get_by_role("button", name="Rename", exact=True).click()
    _renames(laptop, laptop.page.locator("#sessions").get_by_role("textbox", name="Title"))


def _renames(laptop: Screen, field: Locator) -> None:
    laptop.complaints.expect("413")
    field.fill(TOO_LONG)
    laptop.press("Enter").see(REFUSAL)
    expect(field).to_have_value(TOO_LONG)

    field.fill("")
    laptop.page.keyboard.insert_text(LONG)  # as typing does, within the limits that the field has
    laptop.press("Enter")

    expect(laptop.page.locator("#title")).to_have_text(LONG)
    expect(field).to_have_count(0)
