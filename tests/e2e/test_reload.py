"""A reload loses nothing and doubles nothing, at whatever moment it comes."""

import os
import re
import signal
from random import Random
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, only_run, posted
from tests.e2e.site import Site
from tests.support.scripts import script
from tests.support.waiting import until

RELOADS: Final = 10
STRETCH: Final = 60  # words that are said around each reload
LENGTH: Final = 750  # words: more than are said around the reloads


@pytest.mark.parametrize("seed", [20_260_131])
def test_ten_reloads_in_mid_answer_lose_and_double_nothing(
    page_of: PageOf, alice: Person, site: Site, seed: int
) -> None:
    chance = Random(seed)
    session = alice.session()
    laptop = page_of(alice).open(session)
    laptop.send(script(words=LENGTH, every_ms=12, wait_at=0))

    for allowed in range(STRETCH, STRETCH * (RELOADS + 1), STRETCH):
        site.allow(session, allowed)
        if chance.random() < 0.3:
            laptop.page.reload(wait_until="commit")
            expect(laptop.log).to_be_attached()  # the next reload may come before the page is live
        else:
            already = laptop.reload().see_word(1).see_some_words()
            laptop.see_word(min(already + chance.randrange(1, 40), allowed))
    expect(laptop.stop_button).to_be_visible()

    site.allow(session, LENGTH)
    laptop.see_words(LENGTH)
    expect(laptop.answer).to_have_count(1)
    assert only_run(session).attempt == 1
    assert len(posted(session)) == 1


def test_a_reload_before_the_first_word_finds_the_answer_being_thought_of(
    page_of: PageOf, alice: Person, site: Site
) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    laptop.send(script(words=30, wait_at=0)).see_note("is thinking")

    laptop.reload().see_note("is thinking")
    expect(laptop.stop_button).to_be_visible()

    site.allow(session, 30)
    laptop.see_words(30)


@pytest.mark.daphne
def test_a_finished_answer_is_the_same_after_a_reload(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session(agent="assistant"))
    markdown = r"# One\n\nTwo *three*:\n\n- four\n- five `six`\n\n```python\nseven = 8\n```\n\n| a | b |\n|---|---|\n| c | d |\n"
    laptop.send(f'{{"words": 1, "raw": "{markdown}"}}'.replace("\\", "\\\\"))
    expect(laptop.answer).to_have_attribute("data-state", "complete")
    live = laptop.text.inner_html()

    laptop.reload().live()

    assert _plain(laptop.text.inner_html()) == _plain(live)


def _plain(html: str) -> str:
    """Removes the markup that colours code: only the browser adds it, and later."""
    return re.sub(r'</?span[^>]*>| (?:class="hljs[^"]*"|data-highlighted="\w+")', "", html)


def test_a_draft_survives_a_reload(page_of: PageOf, alice: Person) -> None:
    session, other = alice.session(), alice.session()
    laptop = page_of(alice).open(session).write("Half a thought")

    laptop.reload().live()
    expect(laptop.box).to_have_value("Half a thought")
    laptop.open(other)
    expect(laptop.box).to_have_value("")
    laptop.open(session)
    expect(laptop.box).to_have_value("Half a thought")


def test_a_sent_message_is_no_draft_any_more(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session())
    laptop.write("Half").reload().live()
    laptop.send(script(words=3)).see_words(3)

    laptop.reload().live()

    expect(laptop.box).to_have_value("")


def test_back_by_the_history_is_live_again(page_of: PageOf, alice: Person, site: Site) -> None:
    session = alice.session("Here")
    laptop = page_of(alice).open(session)
    laptop.send(script(words=150, wait_at=2)).see_word(2)

    laptop.page.goto(f"{laptop.url}/")
    laptop.page.go_back()

    laptop.live()
    site.allow(session, 150)
    laptop.see_words(150)
    laptop.send(script(words=4)).see_words(4)


def test_a_page_that_slept_goes_on_where_it_was(page_of: PageOf, alice: Person, site: Site, browser: Browser) -> None:
    """A phone suspends pages that nobody looks at; a closed laptop suspends everything."""
    session = alice.session()
    phone = page_of(alice, "phone").open(session).mark()
    phone.send(script(words=250, wait_at=5)).see_word(5)
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    renderers = [process["id"] for process in found if process["type"] == "renderer"]

    for renderer in renderers:
        os.kill(renderer, signal.SIGSTOP)
    site.allow(session, 250)
    until(lambda: only_run(session).state == "completed")
    for renderer in renderers:
        os.kill(renderer, signal.SIGCONT)

    phone.see_words(250).live()
    assert phone.marked
