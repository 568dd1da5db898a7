"""Questions of an agent: a form on every device, the first answer counts, and nothing that was typed is lost."""

import json
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import PageOf
from tests.e2e.orders import DELETE, ORDER, TITLE, asks
from tests.e2e.people import Person
from tests.e2e.screen import OUTAGE, Screen
from tests.e2e.site import Site

IPHONE: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"


def field(screen: Screen, name: str) -> Locator:
    return screen.ask.get_by_label(name)


def see_outcome(screen: Screen, text: str, *, answer: str | None = None) -> None:
    """Waits until the question is closed and says so; `answer`: what the agent says then."""
    expect(screen.ask.get_by_text(text)).to_be_visible()
    expect(screen.ask.get_by_role("textbox")).to_have_count(0)
    if answer is not None:
        expect(screen.log).to_contain_text(answer)
        screen.see_quiet()


def test_a_form_of_all_kinds_is_answered_on_one_device_and_closed_on_the_other(
    page_of: PageOf, alice: Person, site: Site
) -> None:
    session = alice.session()
    laptop = page_of(alice, port=urlsplit(site.plain_url).port).open(session)  # another web process
    phone = page_of(alice, "phone", user_agent=IPHONE).open(session)
    laptop.send(asks(ORDER)).see_note("Waits for your answer").see(TITLE)

    field(phone, "Name").fill("Bo")
    field(phone, "How many").fill("3")
    phone.ask.get_by_role("radio", name="large").check()
    field(phone, "A gift").check()
    phone.ask.get_by_role("checkbox", name="card").check()
    field(phone, "Notes").fill("soon\nplease")
    expect(field(laptop, "Notes")).to_be_visible()
    phone.click("Send answer")

    given = {"count": 3, "extras": ["card"], "gift": True, "name": "Bo", "notes": ["soon", "please"], "size": "large"}
    for screen in (laptop, phone, laptop.reload().live()):
        said = "answered " + json.dumps(given, separators=(",", ":"))
        see_outcome(screen, "Answered by you, with Safari on iPhone", answer=said)
        for text in ("Bo", "3", "large", "Yes", "card", "soon, please"):
            expect(screen.ask.get_by_text(text, exact=True)).to_be_visible()


def test_an_answer_that_does_not_fit_gets_the_fields_sentence_and_keeps_what_was_typed(
    page_of: PageOf, alice: Person
) -> None:
    laptop = page_of(alice).open(alice.session()).send(asks(ORDER))
    field(laptop, "Name").fill("Bo")
    field(laptop, "How many").fill("99")

    laptop.click("Send answer")

    count = field(laptop, "How many")
    expect(count).to_have_accessible_description("This may be at most 9.")
    expect(laptop.ask.get_by_role("group", name="Size")).to_contain_text("This is missing.")
    expect(count).to_be_focused()
    expect(count).to_have_value("99")
    expect(field(laptop, "Name")).to_have_value("Bo")
    count.fill("many")
    laptop.click("Send answer")
    expect(count).to_have_accessible_description("Write a number, such as 1000 or 2.5.")
    count.fill("9")
    laptop.ask.get_by_role("radio", name="small").check()
    laptop.click("Send answer")
    see_outcome(laptop, "Answered by you", answer='answered {"count":9,"gift":false,"name":"Bo","size":"small"}')


def test_the_first_answer_counts_and_the_other_person_sees_whose_it_was(
    page_of: PageOf, alice: Person, bob: Person
) -> None:
    session = alice.session()
    bob.joins(session)
    alices = page_of(alice, user_agent=IPHONE).open(session).send(asks())
    bobs = page_of(bob).open(session)
    field(bobs, "Name").fill("Bob's own")

    field(alices, "Name").fill("Alice's own")
    alices.press("Enter")

    see_outcome(alices, "Answered by you, with Safari on iPhone", answer='answered {"name":"Alice\'s own"}')
    see_outcome(bobs, "Answered by Alice, with Safari on iPhone")
    expect(bobs.ask).to_contain_text("What you had typed was not sent:")
    expect(bobs.ask.get_by_text("Bob's own")).to_be_visible()
    bobs.reload().live()
    expect(bobs.ask.get_by_text("Bob's own")).to_be_visible()
    bobs.click("Forget it")
    expect(bobs.ask.get_by_text("Bob's own")).to_be_hidden()
    bobs.reload().live()
    see_outcome(bobs, "Answered by Alice, with Safari on iPhone")
    expect(bobs.ask.get_by_text("Bob's own")).to_be_hidden()


def test_a_question_is_declined(page_of: PageOf, alice: Person, bob: Person) -> None:
    session = alice.session()
    bob.joins(session)
    bobs = page_of(bob).open(session)
    alices = page_of(alice).open(session).send(asks())

    alices.click("Decline")

    see_outcome(alices, "Declined by you", answer="declined declined")
    see_outcome(bobs, "Declined by Alice")


def test_a_question_expires(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session()).send(asks(expires_s=1))

    see_outcome(laptop, "Nobody answered in time", answer="declined expired")


def test_a_message_in_its_place_closes_a_question(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session).send(asks())
    phone = page_of(alice, "phone").open(session)
    expect(field(phone, "Name")).to_be_visible()

    laptop.send("Never mind")

    for screen in (laptop, phone):
        see_outcome(screen, "Answered with a message", answer="declined declined")
        expect(screen.said.last).to_contain_text("Never mind")


def test_a_stop_closes_a_question_and_keeps_what_was_typed(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session()).send(asks())
    field(laptop, "Name").fill("Bo")

    laptop.stop()

    see_outcome(laptop, "Closed, because the answer ended")
    laptop.see_note("Stopped by you").see_quiet()
    expect(laptop.ask.get_by_text("Bo", exact=True)).to_be_visible()


def test_a_tool_call_is_allowed_with_other_arguments_and_from_then_on_always(page_of: PageOf, alice: Person) -> None:
    session = alice.session(agent="keeper")
    laptop = page_of(alice).open(session).send(DELETE).see("Delete notes")
    phone = page_of(alice, "phone").open(session)
    expect(field(phone, "Because")).to_have_value("old")
    field(phone, "Because").fill("stale")
    phone.page.get_by_label("Always allow this here").check()

    phone.click("Allow")

    for screen in (laptop, phone):
        see_outcome(screen, "Allowed by you", answer="w1 w2")
        expect(screen.ask.get_by_text("stale")).to_be_visible()
    laptop.page.locator("[data-call] summary").click()
    laptop.see("deleted because stale")
    laptop.send(DELETE).see_words(2)
    expect(laptop.page.locator("[data-ask]")).to_have_count(1)

    laptop.click("More about this session").click("Allowed tools").see("delete_notes").see("allowed by Alice")
    laptop.click("Revoke “delete_notes”").see("agents ask before each tool").click("Back to the session").live()
    laptop.send(DELETE).see_note("Waits for your answer")
    expect(laptop.page.locator("[data-ask]")).to_have_count(2)


def test_a_tool_call_is_not_allowed(page_of: PageOf, alice: Person, site: Site) -> None:
    laptop = page_of(alice).open(alice.session(agent="keeper")).send(DELETE)

    laptop.click("Do not allow")

    see_outcome(laptop, "Refused by you", answer="w1 w2")
    assert "did not allow" in str(site.provider.seen[-1].prompt[-1])


def test_a_form_survives_a_reload_and_a_restart_of_the_web_server(page_of: PageOf, alice: Person, site: Site) -> None:
    laptop = page_of(alice).open(alice.session()).send(asks())
    laptop.complaints.expect(OUTAGE)
    field(laptop, "Name").fill("Bo")
    laptop.reload().live()
    expect(field(laptop, "Name")).to_have_value("Bo")
    field(laptop, "Name").fill("Bob")

    with site.machine.without("web"):
        expect(laptop.pill).not_to_have_attribute("data-state", "live")
        laptop.click("Send answer")

    see_outcome(laptop, "Answered by you", answer='answered {"name":"Bob"}')


def test_a_form_is_answered_by_keyboard_alone(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session()).send(asks(ORDER))
    expect(field(laptop, "Name")).to_be_visible()
    expect(laptop.box).to_be_focused()  # a form that appears takes the focus from nobody

    laptop.log.focus()
    _tab_to(laptop, field(laptop, "Name")).page.keyboard.type("Bo")
    _tab_to(laptop, field(laptop, "How many")).page.keyboard.type("2")
    _tab_to(laptop, laptop.ask.get_by_role("radio", name="small")).press("ArrowDown")
    _tab_to(laptop, field(laptop, "A gift")).press("Space")
    _tab_to(laptop, laptop.ask.get_by_role("button", name="Send answer")).press("Enter")

    see_outcome(laptop, "Answered by you", answer='answered {"count":2,"gift":true,"name":"Bo","size":"large"}')
    expect(laptop.ask.get_by_text("Answered by you")).to_be_focused()  # in the place of the button


def _tab_to(screen: Screen, target: Locator, *, most: int = 12) -> Screen:
    for _ in range(most):
        if target.evaluate("element => element === document.activeElement"):
            return screen
        screen.press("Tab")
    message = f"Tab does not reach {target}"
    raise AssertionError(message)


@pytest.mark.daphne
def test_who_may_not_answer_sees_why_and_who_may_chooses(page_of: PageOf, alice: Person, bob: Person) -> None:
    session = alice.session(agent="painter")
    bob.joins(session)
    bobs = page_of(bob).open(session).send("A door").see_note("Waits for an answer")
    expect(bobs.ask).to_contain_text("Only the owner can answer this.")
    expect(bobs.ask.get_by_role("button")).to_have_count(0)
    alices = page_of(alice).open(session).see_note("Waits for your answer")

    alices.click("green")

    see_outcome(alices, "Answered by you", answer="painted green")
    see_outcome(bobs, "Answered by Alice", answer="painted green")


def test_a_viewer_sees_the_question_and_why_it_is_not_theirs(page_of: PageOf, alice: Person, bob: Person) -> None:
    session = alice.session()
    bob.joins(session, role="viewer")
    page_of(alice).open(session).send(asks())

    bobs = page_of(bob).open(session).see(TITLE)

    expect(bobs.ask).to_contain_text("You can read this session, not answer in it.")
    expect(bobs.ask.get_by_role("textbox")).to_have_count(0)


def test_a_new_question_is_announced(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session()).send(asks())

    expect(laptop.page.locator("#announcements")).to_contain_text(f"Script asks: {TITLE}")
