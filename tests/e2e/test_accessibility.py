"""axe finds nothing in any state of the page, light or dark, large or small."""

from collections.abc import Callable
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no stubs
from playwright.sync_api import expect

from sessions_core.services import sessions
from tests.e2e.conftest import PageOf
from tests.e2e.orders import DELETE, ORDER, asks
from tests.e2e.people import Person
from tests.e2e.screen import Screen
from tests.e2e.site import Site
from tests.support.scripts import script

SCHEMES: Final = ("light", "dark")
MARKDOWN: Final = (
    r"# One\n\nTwo *three* [four](https://example.com), `five`.\n\n1. six\n2. seven\n\n> eight\n\n"
    r"```python\nnine = 'ten'  # eleven\n```\n\n| a | b |\n|---|---|\n| c | d |\n"
)


# Ends the transition from one scheme's colours to the other's: axe must not judge the colours between.
REST: Final = "document.getAnimations().forEach(each => each instanceof CSSTransition && each.finish())"


def check(screen: Screen) -> None:
    """Checks the page in both colour schemes, without transitions."""
    for scheme in SCHEMES:
        screen.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        screen.page.evaluate(REST)
        found = Axe().run(screen.page)
        assert found.violations_count == 0, f"{scheme}: {found.generate_report()}"


def home(screen: Screen, alice: Person) -> None:
    alice.session("One")
    screen.go("/").see("What shall we work on?")


def empty(screen: Screen, alice: Person) -> None:
    screen.open(alice.session("Empty"))


def at_work(screen: Screen, alice: Person) -> None:
    screen.open(alice.session()).send(script(words=5, wait_at=3, reason=3)).see_word(3)


def thinking(screen: Screen, alice: Person) -> None:
    screen.open(alice.session()).send(script(wait_at=0)).see_note("is thinking")


def unfinished(screen: Screen, alice: Person) -> None:
    screen.open(alice.session(agent="assistant")).send('{"words": 3, "finish": "length"}').see_note("not whole")


def answered(screen: Screen, alice: Person) -> None:
    screen.open(alice.session(agent="assistant"))
    screen.send(f'{{"words": 3, "raw": "{MARKDOWN}"}}'.replace("\\", "\\\\"))
    expect(screen.answer).to_have_attribute("data-state", "complete")
    screen.see_quiet()


def failed(screen: Screen, alice: Person) -> None:
    screen.open(alice.session()).send(script(words=9, fail_after=3, every_ms=1)).see_note("says to fail")


def stopped_and_queued(screen: Screen, alice: Person) -> None:
    screen.open(alice.session()).send(script(wait_at=2)).see_word(2).stop().see_note("Stopped by you")
    screen.send(script(wait_at=0)).send(script(words=3)).see("Waits for its turn")


def queued_and_edited(screen: Screen, alice: Person) -> None:
    screen.open(alice.session()).send(script(wait_at=1)).see_word(1).enqueue(script(words=3)).enqueue(script(words=4))
    screen.stop().see("Paused, because an answer was stopped.").click("Edit this message")


def steered(screen: Screen, alice: Person) -> None:
    screen.open(alice.session()).send(script(wait_at=1)).see_word(1).write("Look left").click("Steer")
    screen.see("The agent reads it at its next step")


def asked(screen: Screen, alice: Person) -> None:
    screen.open(alice.session()).send(asks(ORDER)).click("Send answer").see("This is missing.")


def allowed_and_asked_again(screen: Screen, alice: Person) -> None:
    screen.open(alice.session(agent="keeper")).send(DELETE).click("Allow").see("Allowed by you").see_words(2)
    screen.send(DELETE).see_note("Waits for your answer")
    screen.page.locator("[data-call] summary").first.click()


def menus(screen: Screen, alice: Person) -> None:
    screen.open(alice.session("Menus"))
    screen.page.get_by_role("button", name="More about this session").click()
    screen.see("Copy as Markdown")


def settings(screen: Screen, alice: Person) -> None:
    screen.go("/settings/")


def archived(screen: Screen, alice: Person) -> None:
    session = alice.session("Archived")
    alice.talked(session, messages=2)
    sessions.archive(session, by=alice.author)
    screen.go(f"/s/{session}/").see("This session is archived")


def asked_for_sure(screen: Screen, alice: Person) -> None:
    screen.open(alice.session("Deleted?"))
    screen.page.get_by_role("button", name="More about this session").click()
    screen.click("Delete").see("This cannot be undone.")


def renamed(screen: Screen, alice: Person) -> None:
    screen.open(alice.session("Renamed"))
    screen.page.get_by_role("button", name="Rename, archive or delete “Renamed”").click()
    screen.page.locator("#sessions").get_by_role("button", name="Rename", exact=True).click()
    expect(screen.page.get_by_role("textbox", name="Title")).to_be_visible()


def refused(screen: Screen, alice: Person) -> None:
    session = alice.session("Refused")
    screen.open(session)
    sessions.archive(session, by=alice.author)
    screen.write("One more thing").submit().see("This conversation is archived.")


def signed_out(screen: Screen, alice: Person) -> None:
    screen.open(alice.session("Signed out"))
    screen.complaints.expect("WebSocket|401|403")
    alice.signs_out_everywhere()
    expect(screen.pill).to_contain_text("Signed out")


STATES: Final = (
    *(home, empty, thinking, at_work, answered, unfinished, failed, stopped_and_queued, refused),
    *(queued_and_edited, steered, asked, allowed_and_asked_again),
    *(menus, renamed, asked_for_sure, archived, signed_out, settings),
)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_axe_finds_nothing(page_of: PageOf, alice: Person, state: Callable[[Screen, Person], None]) -> None:
    laptop = page_of(alice)
    state(laptop, alice)
    check(laptop)


@pytest.mark.parametrize("path", ["/sign-in/", "/sign-up/", "/sign-in/link/x/", "/nowhere/"])
def test_axe_finds_nothing_for_who_is_not_signed_in(page_of: PageOf, path: str) -> None:
    laptop = page_of(None)
    laptop.complaints.expect("404|410")
    check(laptop.go(path))


def test_axe_finds_nothing_on_a_phone(page_of: PageOf, alice: Person) -> None:
    phone = page_of(alice, "phone")
    answered(phone, alice)
    check(phone)

    phone.page.get_by_role("button", name="Show the list of sessions").tap()
    expect(phone.page.locator("#sidebar")).to_be_visible()
    check(phone)


def test_a_screen_reader_hears_that_an_answer_begins_and_ends(page_of: PageOf, alice: Person, site: Site) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    expect(laptop.log).to_have_attribute("aria-live", "off")

    laptop.send(script(words=80, wait_at=3))

    told = laptop.page.locator("#announcements")
    expect(told).to_have_text("Script is answering")
    site.allow(session, 80)
    laptop.see_words(80)
    expect(told).to_contain_text("Answer complete")
