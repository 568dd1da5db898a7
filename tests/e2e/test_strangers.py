"""Somebody who takes no part learns nothing; somebody who was signed out loses nothing."""

from playwright.sync_api import expect

from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, posted, somebody
from tests.support.scripts import script


def test_somebody_elses_session_is_a_page_that_says_it_is_not_there(
    page_of: PageOf, alice: Person, mallory: Person
) -> None:
    session = alice.session("Secret plans")
    mallorys = page_of(mallory)
    mallorys.complaints.expect("404")

    answer = mallorys.page.goto(f"{mallorys.url}/s/{session}/")

    assert answer is not None
    assert answer.status == 404
    text = mallorys.page.locator("body").inner_text()
    assert "Secret plans" not in text
    nowhere = mallorys.page.goto(f"{mallorys.url}/s/00000000-0000-4000-8000-000000000000/")
    assert nowhere is not None
    assert nowhere.status == 404
    assert mallorys.page.locator("body").inner_text() == text


def test_nobody_reads_without_signing_in(page_of: PageOf, alice: Person) -> None:
    session = alice.session()

    page_of(None).go(f"/s/{session}/").see("Sign in to Durable Sessions")


def test_a_viewer_reads_live_and_has_no_composer(page_of: PageOf, alice: Person, bob: Person) -> None:
    session = alice.session()
    bob.joins(session, role="viewer")
    bobs = page_of(bob).open(session).see("You can read this session, not write in it.")

    page_of(alice).open(session).send(script(words=30))

    bobs.see_words(30)
    expect(bobs.box).to_have_count(0)


def test_signed_out_in_mid_conversation_keeps_what_was_typed(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session).write("Half a thought").mark()
    laptop.complaints.expect("WebSocket|401|403")
    tab = page_of(alice).go("/")

    tab.page.locator(".account").click()
    tab.click("Sign out").see("Sign in to Durable Sessions")

    expect(laptop.pill).to_contain_text("Signed out")
    assert laptop.marked
    expect(laptop.box).to_have_value("Half a thought")
    alice.signs_in(laptop.page.context, laptop.url)
    laptop.open(session)
    expect(laptop.box).to_have_value("Half a thought")


def test_what_was_sent_after_signing_out_arrives_after_signing_in(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    laptop.complaints.expect("WebSocket|401|403")
    alice.signs_out_everywhere()
    expect(laptop.pill).to_contain_text("Signed out")

    laptop.write(script(words=5)).submit()
    alice.signs_in(laptop.page.context, laptop.url)
    laptop.open(session)

    if (typed := laptop.box.input_value()) != "":  # the text may still be in the box, or in the outbox
        assert typed == script(words=5)
        laptop.submit()
    laptop.see_words(5)
    assert posted(session) == [script(words=5)]


def test_what_somebody_else_left_in_this_browser_is_not_sent_as_mine(page_of: PageOf, alice: Person) -> None:
    """The outbox and the drafts of a browser belong to the person who wrote them."""
    session = alice.session()
    laptop = page_of(alice).open(session)
    laptop.complaints.expect("WebSocket|401|403")
    alice.signs_out_everywhere()
    expect(laptop.pill).to_contain_text("Signed out")
    laptop.write(script(words=5)).submit()

    carol = somebody("carol")
    carol.joins(session)
    carol.signs_in(laptop.page.context, laptop.url)
    laptop.open(session)

    laptop.send(script(words=3)).see_words(3)
    assert posted(session) == [script(words=3)]


def test_a_draft_is_not_shown_to_who_signs_in_next(page_of: PageOf, alice: Person, bob: Person) -> None:
    laptop = page_of(alice).go("/").write("Dear diary").reload()
    expect(laptop.box).to_have_value("Dear diary")

    bob.signs_in(laptop.page.context, laptop.url)
    laptop.go("/")
    expect(laptop.page.locator(".account")).to_contain_text("Bob")
    expect(laptop.page.locator("html.js")).to_be_attached()

    expect(laptop.box).to_have_value("")
