"""Stop stops: before the first word, by key, and at the provider."""

import time

from playwright.sync_api import expect

from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, only_run, script
from tests.e2e.site import Site
from tests.support.waiting import until


def test_stop_before_the_first_word(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    laptop.send(script(words=50, pause_after=0, pause_ms=60_000)).see_note("is thinking")

    laptop.stop().see_note("Stopped by you", within_ms=3_000).see_quiet()

    expect(laptop.page.locator(".answered [data-part=text]")).to_have_count(0)
    assert only_run(session).state == "cancelled"


def test_escape_stops(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session())
    laptop.send(script(words=2000, every_ms=20)).see_word(3)

    laptop.press("Escape").see_note("Stopped by you").see_quiet()


def test_stop_is_there_after_a_reload(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session())
    laptop.send(script(words=2000, every_ms=20)).see_word(3)

    laptop.reload().stop().see_note("Stopped by you").see_quiet()


def test_the_provider_sees_its_connection_closed_within_half_a_second(
    page_of: PageOf, alice: Person, site: Site
) -> None:
    laptop = page_of(alice).open(alice.session(agent="assistant"))
    laptop.send('{"words": 2000, "every_ms": 10}').see_word(10)

    pressed = time.time()
    laptop.stop()

    seen = site.provider.seen[-1]
    until(lambda: seen.closed_at, within_s=5)
    assert (seen.closed_at or 0) - pressed < 0.5
    laptop.see_note("Stopped by you").see_quiet()
    sent = seen.chunks
    assert laptop.see_some_words() <= sent < 2000


def test_a_silent_provider_sees_its_connection_closed_too(page_of: PageOf, alice: Person, site: Site) -> None:
    laptop = page_of(alice).open(alice.session(agent="assistant"))
    before = len(site.provider.seen)
    laptop.send('{"silent_ms": 50000}').see_note("is thinking")
    until(lambda: len(site.provider.seen) > before, within_s=10)

    pressed = time.time()
    laptop.stop()

    seen = site.provider.seen[-1]
    until(lambda: seen.closed_at, within_s=5)
    assert (seen.closed_at or 0) - pressed < 0.5
    assert seen.chunks == 0
    laptop.see_note("Stopped by you")


def test_a_double_click_on_stop_is_one_stop(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    laptop.send(script(words=2000, every_ms=20)).see_word(3)

    laptop.stop_button.dblclick()

    laptop.see_note("Stopped by you").see_quiet()
    assert only_run(session).state == "cancelled"
