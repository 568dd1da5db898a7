"""Other programs change the page, too: the browser's translator, dictionaries, highlighters. Every word stays."""

import re
from typing import Final

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, posted
from tests.e2e.screen import Screen
from tests.e2e.site import Site
from tests.support.scripts import script
from tests.support.waiting import until

# Each changes every text of the page as soon as it is there, also while the page loads.
AT_WORK: Final = """
  const skipped = "script, style, textarea, [translate=no], .intruder";
  const texts = (root) => {
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walk.nextNode()) if (!walk.currentNode.parentElement?.closest(skipped)) found.push(walk.currentNode);
    return found;
  };
  const element = (tag, ...children) => {
    const made = document.createElement(tag);
    made.className = "intruder";
    made.append(...children);
    return made;
  };
  const work = () => { if (document.body) for (const text of texts(document.body)) if (text.data.trim()) CHANGE };
  new MutationObserver(work).observe(document, { subtree: true, childList: true, characterData: true });
"""
CHANGES: Final = {
    # As Chromium's: the text is gone, its translation stands in two elements.
    "translator": "text.replaceWith(element('font', element('font', text.data.toUpperCase())));",
    "dictionary": """{
      const word = /\\w*7\\b/.exec(text.data);
      if (!word) continue;
      const found = text.splitText(word.index);
      found.splitText(word[0].length);
      const entry = element("span", found.data, element("small", " (explained) "));
      found.replaceWith(entry);
    }""",
    "highlighter": """{
      const at = text.data.search(/[357]/);
      if (at < 0) continue;
      const found = text.splitText(at);
      found.splitText(1);
      const mark = element("mark");
      found.replaceWith(mark);
      mark.append(found);
    }""",
}
BLOCKS: Final = (
    r"A *first* paragraph with 7 `codes`.\n\n- one 3\n- two 5\n\n```python\nx = 7\n```\n\nThen **all** the words: w1"
)


@pytest.fixture(params=CHANGES)
def visited(page_of: PageOf, alice: Person, request: pytest.FixtureRequest) -> Screen:
    """A tab in which an intruder is at work."""
    laptop = page_of(alice)
    laptop.page.add_init_script(f"(() => {{ {AT_WORK.replace('CHANGE', CHANGES[request.param])} }})()")
    # By their ids: the translator changes what they are called.
    laptop.box, laptop.stop_button = laptop.page.locator("#text"), laptop.page.locator("#stop")
    return laptop


def test_every_word_stays_while_an_answer_streams_is_reloaded_and_stopped(
    visited: Screen, alice: Person, site: Site
) -> None:
    laptop = visited.open(alice.session(agent="assistant"))
    order = f'{{"words": 300, "every_ms": 5, "wait_at": 40, "raw": "{BLOCKS}"}}'.replace("\\", "\\\\")
    laptop.write(order).submit()
    until(lambda: _words(laptop) == 40)
    laptop.page.evaluate(
        "window.finished = [...document.querySelectorAll('[data-part=text] > :is(p, ul):not(:last-child) *')]"
    )

    site.provider.allow(80)
    until(lambda: _words(laptop) == 80)
    assert "then all the words: w1 w2 w3 " in _text(laptop)
    assert laptop.page.evaluate("finished.length > 5 && finished.every((element) => element.isConnected)")

    laptop.reload().live()
    assert _words(laptop) == 80
    site.provider.allow(120)
    until(lambda: _words(laptop) == 120)
    laptop.stop().see_quiet()
    expect(laptop.answer).to_have_attribute("data-state", "cancelled")
    assert _words(laptop) == 120

    laptop.reload().live()
    assert _words(laptop) == 120
    assert "a first paragraph with 7 codes." in _text(laptop)
    assert "then all the words: w1 w2 w3 " in _text(laptop)
    assert _text(laptop, ".user-message [data-slot=text]") == order.lower()


def test_a_title_that_was_changed_on_the_page_is_not_taken_for_the_title(visited: Screen, alice: Person) -> None:
    laptop = visited.open(alice.session("Session 357"))
    expect(laptop.page.locator("#title .intruder").first).to_be_attached()

    laptop.click("More about this session")
    laptop.page.get_by_role("button", name=re.compile("^rename$", re.IGNORECASE)).filter(visible=True).click()
    title = laptop.page.get_by_role("textbox", name="Title", exact=True)
    expect(title).to_have_value("Session 357")
    title.fill("Another 375")
    laptop.press("Enter")

    until(lambda: _text(laptop, "#title") == "another 375")


def test_the_next_message_is_sent_and_answered_as_ever(visited: Screen, alice: Person) -> None:
    session = alice.session()
    laptop = visited.open(session)

    for count in (7, 35):
        laptop.write(script(words=count, every_ms=5)).submit()
        until(lambda: _words(laptop) == count)  # noqa: B023  # called before the next turn
        laptop.see_quiet()

    assert posted(session) == [script(words=7, every_ms=5), script(words=35, every_ms=5)]
    expect(laptop.said).to_have_count(2)


def _text(screen: Screen, selector: str = ".agent-message [data-part=text]") -> str:
    """Returns the text of the last such element, without the dictionary's explanations and the translator's capitals."""
    text = screen.page.evaluate(
        """(selector) => {
          const copy = [...document.querySelectorAll(selector)].at(-1)?.cloneNode(true);
          for (const each of copy?.querySelectorAll("small.intruder") ?? []) each.remove();
          return copy?.textContent ?? "";
        }""",
        selector,
    )
    return str(text).lower()


def _words(screen: Screen) -> int:
    """Returns how many words the last answer has: w1 w2 w3 …, each once and in order."""
    found = re.findall(r"\bw\d+", _text(screen))
    return len(found) if found == [f"w{n + 1}" for n in range(len(found))] else -1
