"""An answer that failed says why, keeps what was written, and can be tried again."""

import pytest
from playwright.sync_api import expect

from sessions_core.models import Run
from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, newest_run, posted
from tests.e2e.site import Site
from tests.support.scripts import script


def test_a_failed_run_shows_its_sentence_and_is_tried_again(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    laptop.send(script(words=20, every_ms=5, fail_after=7)).see_note("The script says to fail after 7 words.")
    assert laptop.see_some_words() == 7
    expect(laptop.answer).to_have_attribute("data-state", "failed")

    laptop.click("Try again")

    expect(laptop.page.locator("[data-run-status]")).to_have_count(2)
    expect(laptop.page.locator(".agent-message")).to_have_count(2)
    laptop.see_note("The script says to fail after 7 words.").see_quiet()
    expect(laptop.page.get_by_role("button", name="Try again")).to_have_count(1)
    assert newest_run(session).state == "failed"
    laptop.reload().live()
    expect(laptop.page.locator(".agent-message")).to_have_count(2)


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        ('{"status": 401}', "does not accept the key"),
        ('{"status": 500}', "had a fault of its own"),
        ('{"words": 100, "cut_after": 20}', "broke off in mid-answer"),
    ],
)
def test_what_the_provider_did_is_told_in_a_sentence(page_of: PageOf, alice: Person, order: str, sentence: str) -> None:
    laptop = page_of(alice).open(alice.session(agent="assistant"))

    laptop.send(order).see_note(sentence).see_quiet()

    expect(laptop.page.get_by_role("button", name="Try again")).to_be_visible()


def test_a_script_that_is_none_says_how_to_write_one(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session())

    laptop.send("hello").see_note("That is no script")


def test_a_stopped_answer_is_tried_again_and_completes(page_of: PageOf, alice: Person, site: Site) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    laptop.send(script(words=40, wait_at=2)).see_word(2).stop().see_note("Stopped by you")

    site.allow(session, 40)
    laptop.click("Try again").see_words(40)

    assert len(posted(session)) == 1
    expect(laptop.page.get_by_role("button", name="Try again")).to_have_count(0)
    expect(laptop.page.locator("[data-run-status]")).to_have_count(1)


def test_a_double_click_on_try_again_is_one_run(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    laptop.send(script(words=9, every_ms=5, fail_after=3)).see_note("says to fail")

    laptop.page.get_by_role("button", name="Try again").dblclick()

    expect(laptop.page.locator(".agent-message")).to_have_count(2)
    laptop.see_note("says to fail").see_quiet()
    assert Run.objects.filter(session_id=session).count() == 2
