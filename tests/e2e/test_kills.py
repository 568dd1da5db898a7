"""SIGKILL of the web server and of the worker in mid-answer."""

import os
import signal

from playwright.sync_api import expect

from tests.agents.facts import said, words
from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, only_run, posted
from tests.e2e.screen import OUTAGE
from tests.e2e.site import Site
from tests.support.scripts import script
from tests.support.waiting import until


def test_the_web_server_is_killed_and_the_tab_recovers_by_itself(page_of: PageOf, alice: Person, site: Site) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session).mark()
    laptop.complaints.expect(OUTAGE)
    laptop.send(script(words=300, wait_at=20)).see_word(20)

    with site.machine.without("web"):
        site.allow(session, 150)
        until(lambda: said(session) == words(150))
    site.allow(session, 300)

    laptop.see_words(300).live()
    assert laptop.marked
    run = only_run(session)
    assert (run.state, run.attempt) == ("completed", 1)


def test_the_worker_is_killed_and_the_run_goes_on_in_a_new_attempt(page_of: PageOf, alice: Person, site: Site) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session).mark()
    laptop.send(script(words=150, wait_at=40)).see_word(40)

    site.machine.kill("worker")

    until(lambda: only_run(session).attempt == 2)
    site.allow(session, 150)
    laptop.see_words(150)
    assert laptop.marked
    expect(laptop.page.locator(".agent-message")).to_have_count(1)
    run = only_run(session)
    assert (run.state, run.attempt) == ("completed", 2)


def test_a_message_sent_while_the_web_server_is_down_arrives_once(page_of: PageOf, alice: Person, site: Site) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session).mark()
    laptop.complaints.expect(OUTAGE)

    with site.machine.without("web"):
        laptop.send(script(words=15, every_ms=5))
        assert posted(session) == []

    laptop.see_words(15)
    assert laptop.marked
    assert len(posted(session)) == 1


def test_the_web_server_is_restarted_in_order_and_nobody_notices(page_of: PageOf, alice: Person, site: Site) -> None:
    """As at a deployment: the server says goodbye and when to reconnect."""
    session = alice.session()
    laptop = page_of(alice).open(session).mark()
    laptop.complaints.expect(OUTAGE)
    laptop.send(script(words=300, wait_at=20)).see_word(20)
    before = site.machine.pid("web")

    site.allow(session, 150)
    os.kill(before, signal.SIGTERM)
    site.machine.until(lambda: site.machine.pid("web") != before)
    site.allow(session, 300)

    laptop.see_words(300).live()
    assert laptop.marked
    assert only_run(session).attempt == 1
