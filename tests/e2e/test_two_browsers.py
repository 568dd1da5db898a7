"""One conversation on two devices: both show the same text, live, and each can act on it."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from sessions_core.protocol.events import RunCompleted, RunStarted
from sessions_core.services import sessions
from tests.db.acts import facts
from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, newest_run, only_run, posted
from tests.e2e.site import Site
from tests.support.scripts import script


@pytest.mark.daphne
def test_what_the_phone_sends_streams_on_the_laptop(page_of: PageOf, alice: Person, site: Site) -> None:
    session = alice.session()
    laptop = page_of(alice, "laptop").open(session)
    phone = page_of(alice, "phone", port=urlsplit(site.plain_url).port).open(session)  # another web process

    phone.send(script(words=120, wait_at=3))

    laptop.see_word(3)
    expect(laptop.answer).to_have_attribute("data-state", "open")
    site.allow(session, 120)
    laptop.see_words(120)
    phone.see_words(120)


@pytest.mark.daphne
def test_a_second_browser_stops_the_run_and_both_say_who(page_of: PageOf, alice: Person, site: Site) -> None:
    session = alice.session()
    laptop = page_of(alice, "laptop").open(session)
    laptop.send(script(wait_at=5)).see_word(5)
    desktop = page_of(alice, "desktop").open(session).see_word(5)
    site.allow(session, 8)
    desktop.see_word(8)

    desktop.stop()

    for screen in (laptop, desktop):
        screen.see_note("Stopped by you").see_quiet()
        expect(screen.answer).to_have_attribute("data-state", "cancelled")
        assert screen.see_some_words() == 8
    laptop.reload().see_note("Stopped by you")
    assert laptop.see_some_words() == 8
    assert only_run(session).state == "cancelled"


def test_the_other_person_reads_the_name_of_who_stopped(page_of: PageOf, alice: Person, bob: Person) -> None:
    session = alice.session()
    bob.joins(session)
    alices = page_of(alice).open(session)
    bobs = page_of(bob).open(session)
    alices.send(script(wait_at=3))

    bobs.see_word(3).stop()

    alices.see_note("Stopped by Bob").see_quiet()
    bobs.see_note("Stopped by you")
    alices.reload().see_note("Stopped by Bob")


def test_after_stop_the_next_message_is_answered(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    laptop.send(script(wait_at=3)).see_word(3).stop().see_note("Stopped by you")

    laptop.send(script(words=12, every_ms=5)).see_words(12)

    assert newest_run(session).state == "completed"
    assert len(posted(session)) == 2


def test_a_second_message_waits_for_the_first_answer(page_of: PageOf, alice: Person, site: Site) -> None:
    laptop = page_of(alice, "laptop").open(session := alice.session())
    phone = page_of(alice, "phone").open(session)
    laptop.send(script(words=60, wait_at=1)).see_word(1)

    laptop.send(script(words=10, every_ms=5)).see("Waits for its turn")
    phone.see("Waits for its turn")
    # A later message in another Session is answered meanwhile: there are hands free, and they leave this one alone.
    page_of(alice, "desktop").open(alice.session()).send(script(words=3)).see_words(3)
    assert newest_run(session).state == "requested"
    site.allow(session, 60)

    expect(laptop.answer).to_have_text(re.compile("w10"))
    laptop.see_words(10)
    expect(laptop.page.locator(".agent-message")).to_have_count(2)
    assert [len((text or "").split()) for text in laptop.page.locator("[data-part=text]").all_text_contents()] == [
        60,
        10,
    ]
    assert [fact for fact in map(type, facts(session)) if fact in {RunStarted, RunCompleted}] == [
        *(RunStarted, RunCompleted),
        *(RunStarted, RunCompleted),
    ]


def test_another_tab_renames_and_the_list_follows(page_of: PageOf, alice: Person) -> None:
    session = alice.session("Old name")
    laptop = page_of(alice, "laptop").open(session)
    tab = page_of(alice, "laptop").open(session)

    tab.page.get_by_role("button", name="Rename, archive or delete “Old name”").click()
    tab.page.locator("#sessions").get_by_role("button", name="Rename", exact=True).click()
    tab.page.get_by_role("textbox", name="Title").fill("New name")
    tab.page.keyboard.press("Enter")

    for screen in (tab, laptop):
        expect(screen.page.locator("#sessions .session-item__title")).to_have_text("New name")
        expect(screen.page.locator("#title")).to_have_text("New name")
        expect(screen.page).to_have_title(re.compile("New name"))


@pytest.mark.daphne
def test_what_was_deleted_elsewhere_says_so_and_keeps_what_was_typed(page_of: PageOf, alice: Person) -> None:
    session = alice.session("Short-lived")
    laptop = page_of(alice, "laptop").open(session).write("Half a thought")
    tab = page_of(alice, "laptop").open(session)

    tab.page.get_by_role("button", name="More about this session").click()
    tab.click("Delete").click("Yes, do it")

    tab.see("What shall we work on?")
    laptop.see("This conversation is gone")
    expect(laptop.box).to_have_value("Half a thought")


def test_a_participant_who_was_removed_is_told(page_of: PageOf, alice: Person, bob: Person) -> None:
    session = alice.session()
    bob.joins(session)
    bobs = page_of(bob).open(session)

    bob.leaves(session)

    bobs.see("This conversation is gone")


def test_a_message_of_somebody_else_has_their_name(page_of: PageOf, alice: Person, bob: Person) -> None:
    session = alice.session()
    bob.joins(session)
    alices = page_of(alice).open(session)

    page_of(bob).open(session).send(script(words=3)).see_words(3)

    alices.see_words(3)
    expect(alices.said.last).to_contain_text("Bob")
    alices.reload().live()
    expect(alices.said.last).to_contain_text("Bob")


def test_what_was_archived_elsewhere_is_refused_and_kept(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    sessions.archive(session, by=alice.author)

    laptop.write("One more thing").submit()

    laptop.see("This conversation is archived. Restore it to go on.").see("One more thing")
    assert posted(session) == []
    laptop.reload().see("This session is archived")
    laptop.click("Restore").see_no("This session is archived")
    expect(laptop.box).to_be_visible()
