"""An answer that is not whole says so, on every device and after a reload, and goes on where that helps."""

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, posted
from tests.e2e.screen import Screen

CUT = '{"words": 5, "finish": "length"}'
NOTE = "The answer is not whole: Assistant reached the greatest length that its model writes."


def test_a_cut_answer_goes_on_from_any_device(page_of: PageOf, alice: Person) -> None:
    session = alice.session(agent="assistant")
    laptop, phone = (page_of(alice, device).open(session) for device in ("laptop", "phone"))
    laptop.send(CUT).write("Half a thought")
    for screen in (laptop, phone):
        screen.see_note(NOTE).see_quiet()
        expect(_button(screen)).to_be_visible()
    phone.reload().live().see_note(NOTE)

    phone.click("Go on")

    for screen in (laptop, phone):
        expect(screen.said.last).to_contain_text("Go on.")
        screen.see_words(20)  # what the provider says to anything
        expect(_button(screen)).to_have_count(0)
        expect(screen.note).to_have_text(NOTE)
    assert posted(session) == [CUT, "Go on."]
    expect(laptop.box).to_have_value("Half a thought")
    laptop.reload().live().see_note(NOTE)
    expect(_button(laptop)).to_have_count(0)


def test_a_double_click_goes_on_once(page_of: PageOf, alice: Person) -> None:
    session = alice.session(agent="assistant")
    laptop = page_of(alice).open(session)
    laptop.send(CUT).see_note(NOTE)

    _button(laptop).dblclick()

    laptop.see_words(20)
    assert posted(session) == [CUT, "Go on."]


def test_without_a_script_a_form_goes_on(page_of: PageOf, alice: Person) -> None:
    session = alice.session(agent="assistant")
    page_of(alice).open(session).send(CUT).see_note(NOTE)
    plain = page_of(alice, "desktop", java_script_enabled=False).go(f"/s/{session}/")

    _button(plain).click()

    expect(plain.said.last).to_contain_text("Go on.")
    assert posted(session) == [CUT, "Go on."]


@pytest.mark.parametrize(
    ("finish", "note"),
    [("content_filter", "a filter of the model's provider stopped it"), ("refusal", "declined to answer")],
)
def test_an_answer_that_was_filtered_or_refused_says_so(page_of: PageOf, alice: Person, finish: str, note: str) -> None:
    laptop = page_of(alice).open(alice.session(agent="assistant"))

    laptop.send(f'{{"words": 5, "finish": "{finish}"}}').see_note(note)

    assert laptop.see_some_words() == 5
    laptop.reload().live().see_note(note)
    expect(_button(laptop)).to_have_count(0)


def test_who_may_only_read_is_offered_no_button(page_of: PageOf, alice: Person, bob: Person) -> None:
    session = alice.session(agent="assistant")
    bob.joins(session, role="viewer")
    bobs = page_of(bob).open(session)

    page_of(alice).open(session).send(CUT)

    bobs.see_note(NOTE)
    expect(_button(bobs)).to_have_count(0)
    bobs.reload().live().see_note(NOTE)
    expect(_button(bobs)).to_have_count(0)


def _button(screen: Screen) -> Locator:
    return screen.page.get_by_role("button", name="Go on", exact=True)
