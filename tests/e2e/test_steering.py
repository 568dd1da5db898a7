"""Steering: a message that is given to the answer at work shows whether it was read, and what became of it."""

from typing import Final

import pytest
from playwright.sync_api import expect

from sessions_core.models import Run
from sessions_core.protocol.ids import SessionId
from sessions_core.services import sessions
from tests.agents.facts import words
from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, posted
from tests.e2e.screen import Screen
from tests.e2e.site import Site
from tests.support.scripts import script

READS: Final = script(words=2, wait_at=1, until_steered=True)  # waits for its second word, then for a steer
READS_NOT: Final = script(words=2, wait_at=1)
UNREAD: Final = "The agent reads it at its next step"
READ: Final = "Read by the agent"
STEER: Final = script(words=4, every_ms=1)  # what becomes a message of its own is answered


@pytest.fixture
def session(alice: Person) -> SessionId:
    """A Session in which what is posted to an answer at work steers it."""
    made = alice.session()
    sessions.configure(made, by=alice.author, policy="steer")
    return made


def steer(screen: Screen, session: SessionId, order: str) -> Screen:
    """Opens the Session, begins an answer, and posts to it."""
    return screen.open(session).send(order).see_word(1).send(STEER)


def test_a_steer_is_unread_until_the_agent_reads_it_on_both_devices(
    page_of: PageOf, alice: Person, session: SessionId, site: Site
) -> None:
    laptop = steer(page_of(alice), session, READS)
    phone = page_of(alice, "phone").open(session)
    for screen in (laptop, phone, laptop.reload().live()):
        expect(screen.said.last).to_contain_text(UNREAD)
        screen.see_queue().see_conversation(READS, "w1", STEER)

    site.allow(session, 2)

    for screen in (laptop, phone, laptop.reload().live()):
        screen.see_conversation(READS, words(2), STEER, f"steered {STEER}").see_quiet()
        expect(screen.said.last).to_contain_text(READ)
    assert len(posted(session)) == 2
    assert Run.objects.filter(session_id=session).count() == 1


def test_a_steer_that_was_not_read_is_the_next_message(
    page_of: PageOf, alice: Person, session: SessionId, site: Site
) -> None:
    laptop = steer(page_of(alice), session, READS_NOT)
    phone = page_of(alice, "phone").open(session)
    expect(phone.said.last).to_contain_text(UNREAD)

    site.allow(session, 2)

    for screen in (laptop, phone):
        screen.see_conversation(READS_NOT, words(2), STEER, words(4)).see_quiet()
        expect(screen.said.last).not_to_contain_text(UNREAD)
        expect(screen.said.last).not_to_contain_text(READ)
    assert len(posted(session)) == 2
    assert Run.objects.filter(session_id=session).count() == 2


def test_after_a_stop_a_steer_waits_in_the_paused_queue(page_of: PageOf, alice: Person, session: SessionId) -> None:
    laptop = steer(page_of(alice), session, READS_NOT)

    laptop.stop().see_queue(STEER).see("Paused, because an answer was stopped.").see_conversation(READS_NOT, "w1")
    laptop.reload().live().see_queue(STEER).click("Go on")

    laptop.see_conversation(READS_NOT, "w1", STEER, words(4)).see_queue()
    assert len(posted(session)) == 2


def test_one_message_steers_and_the_next_one_waits_as_people_choose(page_of: PageOf, alice: Person, site: Site) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    button = laptop.page.get_by_role("button", name="Steer", exact=True)
    expect(button).to_be_hidden()
    laptop.send(READS).see_word(1).enqueue(STEER)

    laptop.write("Look left")
    button.click()

    expect(laptop.said.last).to_contain_text("Look left")
    expect(laptop.said.last).to_contain_text(UNREAD)
    site.allow(session, 2)
    laptop.see_conversation(READS, words(2), "Look left", "steered Look left", STEER, words(4)).see_quiet()
    expect(button).to_be_hidden()
