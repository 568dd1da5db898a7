"""The queue: what was posted while an answer is being written waits in a list, the same on every device, and is sent once."""

from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from sessions_core.models import Run
from sessions_core.protocol.ids import SessionId
from tests.agents.facts import words
from tests.e2e.conftest import PageOf
from tests.e2e.people import Person
from tests.e2e.screen import Screen
from tests.e2e.site import Site
from tests.support.scripts import script
from tests.support.waiting import until

AT_WORK: Final = script(words=3, wait_at=1)
ONE: Final = script(words=4, every_ms=1)
TWO: Final = script(words=5, every_ms=1)
STOPPED: Final = "Paused, because an answer was stopped."


def busy(screen: Screen, session: SessionId, order: str = AT_WORK) -> Screen:
    """Opens the Session, in which an answer has begun; it goes on when it is allowed to."""
    return screen.open(session).send(order).see_word(1)


def ends(session: SessionId) -> list[str]:
    """Returns how the Runs of the Session have ended, in the order of their requests; waits for the last end."""
    runs = Run.objects.filter(session_id=session)
    until(lambda: not runs.filter(ended_at=None).exists())
    return list(runs.order_by("asked_seq").values_list("state", flat=True))


def test_what_waits_is_listed_on_both_devices_and_sent_once_in_its_order(
    page_of: PageOf, alice: Person, site: Site
) -> None:
    session = alice.session()
    laptop = busy(page_of(alice), session)
    phone = page_of(alice, "phone", port=urlsplit(site.plain_url).port).open(session)  # another web process
    laptop.enqueue(ONE)
    phone.enqueue(TWO)
    for screen in (laptop, phone):
        screen.see_queue(ONE, TWO).see_conversation(AT_WORK, "w1")

    site.allow(session, 3)

    for screen in (laptop, phone):
        screen.see_conversation(AT_WORK, words(3), ONE, words(4), TWO, words(5)).see_queue().see_quiet()
    laptop.reload().live().see_conversation(AT_WORK, words(3), ONE, words(4), TWO, words(5))
    assert ends(session) == ["completed"] * 3


def test_a_queued_message_is_edited_on_the_other_device(page_of: PageOf, alice: Person, site: Site) -> None:
    session = alice.session()
    laptop = busy(page_of(alice), session).enqueue(ONE)
    phone = page_of(alice, "phone").open(session)

    phone.click("Edit this message")
    field = phone.queue.get_by_role("textbox")
    expect(field).to_be_focused()
    expect(field).to_have_value(ONE)
    field.fill(TWO)
    phone.click("Save")

    for screen in (laptop, phone):
        screen.see_queue(TWO)
    expect(phone.page.get_by_role("button", name="Edit this message")).to_be_focused()
    site.allow(session, 3)
    laptop.see_conversation(AT_WORK, words(3), TWO, words(5))
    assert ends(session) == ["completed"] * 2


def test_the_keyboard_edits_and_escape_leaves_the_message_and_the_answer_alone(page_of: PageOf, alice: Person) -> None:
    laptop = busy(page_of(alice), alice.session()).enqueue(ONE)
    edit = laptop.page.get_by_role("button", name="Edit this message")
    edit.focus()

    laptop.press("Enter").press("End").page.keyboard.type(" and more")
    laptop.press("Escape").see_queue(ONE)
    expect(edit).to_be_focused()
    expect(laptop.stop_button).to_be_enabled()
    laptop.press("Enter").press("End").page.keyboard.type(" and more")
    laptop.press("Enter").see_queue(f"{ONE} and more")

    expect(edit).to_be_focused()


def test_what_is_taken_back_is_not_sent_and_its_author_has_it_in_the_composer(
    page_of: PageOf, alice: Person, site: Site
) -> None:
    session = alice.session()
    laptop = busy(page_of(alice), session).enqueue(ONE)
    phone = page_of(alice, "phone").open(session).see_queue(ONE)

    laptop.click("Take this message back")

    for screen in (laptop, phone):
        screen.see_queue()
    expect(laptop.box).to_have_value(ONE)
    expect(laptop.box).to_be_focused()
    site.allow(session, 3)
    phone.see_conversation(AT_WORK, words(3)).see_quiet()
    assert ends(session) == ["completed", "cancelled"]


def test_the_focus_goes_on_to_the_next_message_when_one_is_taken_back(
    page_of: PageOf, alice: Person, bob: Person
) -> None:
    session = alice.session()
    bob.joins(session)
    busy(page_of(alice), session).enqueue(ONE).enqueue(TWO)
    bobs = page_of(bob).open(session)
    take_back = bobs.page.get_by_role("button", name="Take this message back")

    take_back.first.focus()
    bobs.press("Enter").see_queue(TWO)
    expect(bobs.queued.get_by_role("button", name="Edit this message")).to_be_focused()
    bobs.press("Tab").press("Enter").see_queue()

    expect(bobs.box).to_be_focused()
    expect(bobs.box).to_have_value("")


def test_an_edit_under_way_is_left_alone_while_the_queue_changes(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = busy(page_of(alice), session).enqueue(ONE).enqueue(TWO)
    phone = page_of(alice, "phone").open(session)
    laptop.page.get_by_role("button", name="Edit this message").last.click()
    laptop.press("End").page.keyboard.type(" half")

    phone.page.get_by_role("button", name="Take this message back").first.click()
    phone.see_queue(TWO).enqueue(ONE)

    laptop.see_queue(TWO, ONE).page.keyboard.type(" a thought")
    field = laptop.queue.get_by_role("textbox")
    expect(field).to_be_focused()
    expect(field).to_have_value(f"{TWO} half a thought")


def test_a_change_that_comes_too_late_is_kept_in_the_composer(page_of: PageOf, alice: Person, site: Site) -> None:
    session = alice.session()
    laptop = busy(page_of(alice), session).enqueue(ONE)
    laptop.click("Edit this message").press("End").page.keyboard.type(" half a thought")

    site.allow(session, 3)

    laptop.see("That message does not wait any more.").see_conversation(AT_WORK, words(3), ONE, words(4))
    expect(laptop.box).to_have_value(f"{ONE} half a thought")


def test_a_change_that_is_not_saved_survives_a_reload(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = busy(page_of(alice), session).enqueue(ONE)
    laptop.click("Edit this message").press("End").page.keyboard.type(" half a thought")

    laptop.reload().live()

    field = laptop.queue.get_by_role("textbox")
    expect(field).to_have_value(f"{ONE} half a thought")
    field.press("Escape")
    laptop.see_queue(ONE).reload().live().see_queue(ONE)
    expect(field).to_be_hidden()


def test_after_a_stop_the_queue_waits_and_the_other_device_lets_it_go_on(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = busy(page_of(alice), session).enqueue(ONE)
    phone = page_of(alice, "phone").open(session)
    expect(phone.page.get_by_role("button", name="Go on")).to_be_hidden()

    laptop.stop().see_note("Stopped by you")
    for screen in (laptop, phone):
        screen.see_queue(ONE).see(STOPPED)
    laptop.reload().see(STOPPED).see_queue(ONE)  # already before its script is there
    phone.click("Go on")

    for screen in (laptop, phone):
        screen.see_conversation(AT_WORK, "w1", ONE, words(4)).see_queue()
    assert ends(session) == ["cancelled", "completed"]


def test_after_a_failure_the_queue_waits_until_somebody_lets_it_go_on(
    page_of: PageOf, alice: Person, site: Site
) -> None:
    session = alice.session()
    fails = script(words=3, wait_at=1, fail_after=2)
    laptop = busy(page_of(alice), session, fails).enqueue(ONE)
    site.allow(session, 3)

    laptop.see("Paused, because an answer failed.").see_queue(ONE).see_no("is thinking").click("Go on")

    laptop.see_conversation(fails, "w1 w2", ONE, words(4)).see_queue()
    assert ends(session) == ["failed", "completed"]


def test_a_message_to_a_paused_queue_is_answered_at_once_and_the_others_stand_after_it(
    page_of: PageOf, alice: Person
) -> None:
    session = alice.session()
    laptop = busy(page_of(alice), session).enqueue(ONE).stop().see(STOPPED)

    laptop.send(TWO)

    laptop.see_conversation(AT_WORK, "w1", TWO, words(5), ONE, words(4)).see_queue()
    laptop.reload().live().see_conversation(AT_WORK, "w1", TWO, words(5), ONE, words(4))
    assert ends(session) == ["cancelled", "completed", "completed"]


def test_stop_all_asks_first_and_takes_back_what_waits(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = busy(page_of(alice), session).enqueue(ONE).enqueue(TWO)
    phone = page_of(alice, "phone").open(session)

    laptop.click("Stop all").click("Cancel")
    phone.see_queue(ONE, TWO)
    expect(laptop.stop_button).to_be_enabled()
    laptop.click("Stop all").click("Yes, do it")

    expect(laptop.box).to_have_value(f"{ONE}\n\n{TWO}")
    for screen in (laptop, phone):
        screen.see_queue().see_note("Stopped by you").see_conversation(AT_WORK, "w1").see_quiet()
    assert ends(session) == ["cancelled"] * 3


def test_who_may_only_read_sees_the_queue_and_cannot_change_it(page_of: PageOf, alice: Person, bob: Person) -> None:
    session = alice.session()
    bob.joins(session, role="viewer")
    alices = busy(page_of(alice), session).enqueue(ONE)
    bobs = page_of(bob).open(session).see_queue(ONE)
    expect(bobs.queued).to_contain_text("Alice")

    alices.stop()

    bobs.see(STOPPED).see_queue(ONE)
    expect(bobs.queue.get_by_role("button")).to_have_count(0)


@pytest.mark.daphne
def test_without_a_script_the_queue_is_shown_and_goes_on(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    busy(page_of(alice), session).enqueue(ONE).stop().see(STOPPED)

    plain = page_of(alice, "desktop", java_script_enabled=False).go(f"/s/{session}/").see_queue(ONE).see(STOPPED)
    plain.click("Go on")

    assert ends(session) == ["cancelled", "completed"]
    plain.reload().see_conversation(AT_WORK, "w1", ONE, words(4)).see_queue()
