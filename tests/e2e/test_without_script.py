"""The page without JavaScript: history reads, a form sends."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, only_run, posted
from tests.support.scripts import script
from tests.support.waiting import until


def test_history_reads_and_a_form_sends(page_of: PageOf, alice: Person) -> None:
    session = alice.session("Plain")
    alice.talked(session, messages=3)
    laptop = page_of(alice, java_script_enabled=False).go(f"/s/{session}/")
    laptop.see("Question 1 of a long conversation").see("Answer 3 of a long conversation")

    laptop.write(script(words=6)).send_button.click()

    expect(laptop.said).to_have_count(4)
    assert posted(session)[-1] == script(words=6)
    until(lambda: only_run(session).state == "completed")
    laptop.reload()
    expect(laptop.text).to_have_text("w1 w2 w3 w4 w5 w6")


@pytest.mark.daphne
def test_a_session_is_begun_and_stopped_by_forms(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice, java_script_enabled=False).go("/")
    laptop.page.get_by_label("Who answers").select_option("script")
    laptop.write(script(wait_at=1)).send_button.click()
    laptop.page.wait_for_url("**/s/*/")

    with laptop.page.expect_navigation():  # a reload in the midst of it would have no page to reload
        laptop.stop()

    until(lambda: laptop.reload().note.filter(has_text="Stopped by you").count())
    expect(laptop.stop_button).to_be_hidden()


def test_what_needs_a_script_is_not_offered(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    alice.talked(session, messages=1)
    laptop = page_of(alice, java_script_enabled=False).go(f"/s/{session}/")

    expect(laptop.page.locator(".needs-script").filter(visible=True)).to_have_count(0)


@pytest.mark.parametrize("text", ["", "x" * 200_001])
def test_a_refused_form_says_why_and_keeps_what_was_typed(page_of: PageOf, alice: Person, text: str) -> None:
    session = alice.session()
    laptop = page_of(alice, java_script_enabled=False).go(f"/s/{session}/")
    laptop.complaints.expect("4\\d\\d")
    laptop.write(text)
    laptop.page.locator("#composer").evaluate("form => { form.noValidate = true; form.requestSubmit(); }")

    expect(laptop.page.get_by_role("alert").filter(visible=True)).to_have_count(1)
    expect(laptop.box).to_have_value(text)
    assert posted(session) == []
