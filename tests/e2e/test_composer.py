"""The composer, where people write."""

from typing import Final

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, posted
from tests.support.scripts import script


def test_enter_sends_and_shift_enter_breaks_the_line(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)

    laptop.box.press_sequentially("one")
    laptop.press("Shift+Enter")
    laptop.page.keyboard.type("two")
    expect(laptop.box).to_have_value("one\ntwo")
    laptop.press("Enter")

    expect(laptop.said).to_have_count(1)
    expect(laptop.box).to_have_value("")
    laptop.see_note("That is no script")
    assert posted(session) == ["one\ntwo"]


def test_enter_sends_nothing_while_an_input_method_composes(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    laptop.box.focus()
    keyboard = laptop.page.context.new_cdp_session(laptop.page)

    keyboard.send("Input.imeSetComposition", {"text": "にほ", "selectionStart": 2, "selectionEnd": 2})
    laptop.press("Enter")
    assert laptop.box.input_value().strip() == "にほ"
    keyboard.send("Input.insertText", {"text": "日本"})
    # Safari ends the composition first and says with the key code alone that this Enter belonged to it.
    laptop.box.dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "bubbles": True, "cancelable": True})

    assert "日本" in laptop.box.input_value()
    expect(laptop.said).to_have_count(0)
    composed = laptop.box.input_value().strip()
    laptop.press("Enter")
    laptop.see_note("That is no script")
    assert posted(session) == [composed]


def test_on_a_phone_enter_breaks_the_line_and_the_button_sends(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    phone = page_of(alice, "phone").open(session)

    phone.box.press_sequentially("one")
    phone.press("Enter")
    phone.page.keyboard.type("two")
    phone.send_button.tap()

    phone.see_note("That is no script")
    assert posted(session) == ["one\ntwo"]


@pytest.mark.parametrize("nothing", ["  \n ", "\u200b\u2060\ufeff", "\u3164\n\u2800\u200f\ufe0f"], ids=ascii)
def test_nothing_is_sent_of_nothing(page_of: PageOf, alice: Person, nothing: str) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)

    expect(laptop.send_button).to_be_disabled()
    laptop.write(nothing)
    expect(laptop.send_button).to_be_disabled()
    laptop.press("Enter")
    laptop.page.evaluate("document.querySelector('#composer').requestSubmit()")
    expect(laptop.box).to_have_value(nothing)

    laptop.send("something").see_note("That is no script")
    expect(laptop.said).to_have_count(1)
    assert posted(session) == ["something"]
    assert "Not sent" not in laptop.page.evaluate("[...window.shown].join()")


def test_the_first_line_keeps_its_indent_and_only_blank_lines_around_go(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)

    laptop.write("\n \n    if True:\n        pass\n\n").submit()

    laptop.see_note("That is no script")
    assert posted(session) == ["    if True:\n        pass"]
    expect(laptop.said).to_have_count(1)
    assert laptop.said.locator("[data-slot=text]").text_content() == "    if True:\n        pass"


def test_a_double_click_on_send_is_one_message(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session).write(script(words=5))

    laptop.send_button.dblclick()

    laptop.see_words(5)
    assert posted(session) == [script(words=5)]


@pytest.mark.parametrize("character", ["x", "漢", "🎉"])
def test_what_is_too_long_is_told_and_can_be_shortened(page_of: PageOf, alice: Person, character: str) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    limit = int(laptop.page.locator("#composer").get_attribute("data-limit") or "0")

    laptop.write(character * (limit + 5)).see("5 characters too many: a message can have 32,000.")
    expect(laptop.send_button).to_be_disabled()

    laptop.write(character * limit).see_no("characters too many")
    laptop.submit()
    laptop.see_note("That is no script")
    assert posted(session) == [character * limit]


# Pastes the text as a person does, and returns how the field finds its height afterwards: to measure 20,000 lines takes a minute.
PASTE: Final = """text => {
  const field = document.querySelector("#text");
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  const paste = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
  const isInserted = !field.dispatchEvent(paste); // if not, the browser would insert it in its own way
  return [isInserted, getComputedStyle(field).fieldSizing];
}"""


def test_twenty_thousand_pasted_lines_do_not_freeze_the_composer(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session())
    lines = "\n".join(f"line {n}" for n in range(20_000))
    laptop.box.focus()

    assert laptop.page.evaluate(PASTE, lines) == [True, "fixed"]
    assert laptop.box.input_value() == lines

    laptop.write("short again")
    expect(laptop.box).to_have_css("field-sizing", "content")


def test_text_is_shown_as_it_was_written_and_never_as_html(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    nasty = "<img src=x onerror=alert(1)> & <b>bold</b> 🎉 עברית\u200f"

    laptop.send(nasty)
    expect(laptop.said.locator("img, b")).to_have_count(0)
    laptop.reload().live()

    expect(laptop.said.last).to_contain_text(nasty.rstrip("\u200f"))
    expect(laptop.said.locator("img, b")).to_have_count(0)
