"""Stop: before the first word, by key, and as the provider sees it."""

from playwright.sync_api import expect

from sessions_core.services import sessions
from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, only_run
from tests.e2e.site import Site
from tests.support.scripts import script
from tests.support.waiting import until


def test_stop_before_the_first_word(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    laptop.send(script(words=50, wait_at=0)).see_note("is thinking")

    laptop.stop().see_note("Stopped by you").see_quiet()

    expect(laptop.page.locator(".agent-message [data-part=text]")).to_have_count(0)
    assert only_run(session).state == "cancelled"


def test_escape_stops(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session())
    laptop.send(script(wait_at=3)).see_word(3)

    laptop.press("Escape").see_note("Stopped by you").see_quiet()


def test_an_answer_in_an_archived_session_can_be_stopped(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    laptop.send(script(wait_at=3)).see_word(3)
    sessions.archive(session, by=alice.author)

    laptop.reload().stop().see_note("Stopped by you")

    expect(laptop.stop_button).to_be_hidden()


def test_stop_is_there_after_a_reload(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session())
    laptop.send(script(wait_at=3)).see_word(3)

    laptop.reload().stop().see_note("Stopped by you").see_quiet()


def test_the_provider_sees_its_connection_closed(page_of: PageOf, alice: Person, site: Site) -> None:
    laptop = page_of(alice).open(alice.session(agent="assistant"))
    laptop.send('{"words": 20, "wait_at": 10}').see_word(10)

    laptop.stop()

    seen = site.provider.seen[-1]
    until(lambda: seen.closed)
    assert seen.chunks == 10
    laptop.see_note("Stopped by you").see_quiet()
    assert laptop.see_some_words() == 10


def test_a_silent_provider_sees_its_connection_closed_too(page_of: PageOf, alice: Person, site: Site) -> None:
    laptop = page_of(alice).open(alice.session(agent="assistant"))
    before = len(site.provider.seen)
    laptop.send('{"wait_at": 0}').see_note("is thinking")
    until(lambda: len(site.provider.seen) > before)

    laptop.stop()

    seen = site.provider.seen[-1]
    until(lambda: seen.closed)
    assert seen.chunks == 0
    laptop.see_note("Stopped by you")


def test_a_double_click_on_stop_is_one_stop(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    laptop.send(script(wait_at=3)).see_word(3)

    laptop.stop_button.dblclick()

    laptop.see_note("Stopped by you").see_quiet()
    assert only_run(session).state == "cancelled"
