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


def test_what_is_too_long_is_told_and_can_be_shortened(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session())
    limit = int(laptop.page.locator("#composer").get_attribute("data-limit") or "0")

    laptop.write("x" * (limit + 5)).see("5 characters too many")
    expect(laptop.send_button).to_be_disabled()

    laptop.write("x" * limit).see_no("characters too many")
    expect(laptop.send_button).to_be_enabled()


# Milliseconds until a text is in a field and drawn: in the composer, and in a plain field of the same size beside it. The best of
# three, because other processes take the processor away.
PASTE: Final = """async (text) => {
  const put = (field, text) => {
    const began = performance.now();
    field.focus();
    field.setRangeText(text, 0, field.value.length, "end");
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    return new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now() - began))));
  };
  const paste = async (field) => {
    const took = [];
    for (let n = 0; n < 3; n++) {
      await put(field, "");
      took.push(await put(field, text));
    }
    return Math.min(...took);
  };
  const plain = document.createElement("textarea");
  plain.rows = 10;
  document.body.append(plain);
  const usual = await paste(plain);
  plain.remove();
  return [await paste(document.querySelector("#text")), usual];
}"""


def test_twenty_thousand_pasted_lines_do_not_freeze_the_composer(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session())
    lines = "\n".join(f"line {n}" for n in range(20_000))

    took, usual = laptop.page.evaluate(PASTE, lines)

    assert took < 3 * usual + 500


def test_text_is_shown_as_it_was_written_and_never_as_html(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    nasty = "<img src=x onerror=alert(1)> & <b>bold</b> 🎉 עברית\u200f"

    laptop.send(nasty)
    expect(laptop.said.locator("img, b")).to_have_count(0)
    laptop.reload().live()

    expect(laptop.said.last).to_contain_text(nasty.rstrip("\u200f"))
    expect(laptop.said.locator("img, b")).to_have_count(0)
