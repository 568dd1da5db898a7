"""The list of Sessions beside the conversation."""

from typing import Final

import pytest
from playwright.sync_api import expect

from tests.db.acts import post_message
from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, newest_run
from tests.support.scripts import script
from tests.support.waiting import until

COUNT_REFRESHES: Final = """() => {
  window.refreshes = 0;
  document.body.addEventListener("htmx:beforeRequest", ({ target }) => target.id === "sessions" && window.refreshes++);
}"""


@pytest.mark.daphne
def test_the_list_is_searched_while_one_types(page_of: PageOf, alice: Person) -> None:
    for title in ("Trip to the sea", "Trip to the hills", "Taxes"):
        alice.session(title)
    laptop = page_of(alice).go("/")
    titles = laptop.page.locator("#sessions .session-item__title")
    expect(titles).to_have_text(["Taxes", "Trip to the hills", "Trip to the sea"])

    laptop.page.get_by_role("searchbox").press_sequentially("trip")
    expect(titles).to_have_text(["Trip to the hills", "Trip to the sea"])
    laptop.page.get_by_role("searchbox").fill("nothing like that")
    laptop.see("No session has that in its title.")
    laptop.page.get_by_role("searchbox").fill("")
    expect(titles).to_have_count(3)


def test_a_long_list_goes_on_when_one_scrolls(page_of: PageOf, alice: Person) -> None:
    for n in range(50):
        alice.session(f"Session {n}")
    laptop = page_of(alice).go("/")
    expect(laptop.page.locator("#sessions .session-item").first).to_contain_text("Session 49")

    laptop.page.locator("#sessions").hover()
    laptop.page.mouse.wheel(0, 10_000)

    expect(laptop.page.locator("#sessions .session-item")).to_have_count(50)


@pytest.mark.daphne
def test_a_session_is_archived_and_deleted_from_the_list(page_of: PageOf, alice: Person) -> None:
    alice.session("Taxes")
    laptop = page_of(alice).open(alice.session("Here"))

    laptop.page.get_by_role("button", name="Rename, archive or delete “Taxes”").click()
    laptop.page.locator("#sessions").get_by_role("button", name="Archive", exact=True).click()
    expect(laptop.page.locator("#sessions [data-archived]")).to_contain_text("Taxes")
    laptop.page.get_by_role("button", name="Rename, archive or delete “Taxes”").click()
    laptop.page.locator("#sessions").get_by_role("button", name="Delete", exact=True).click()
    laptop.click("Cancel")
    expect(laptop.page.locator("#confirm")).to_be_hidden()
    laptop.page.locator("#sessions").get_by_role("button", name="Delete", exact=True).click()
    laptop.click("Yes, do it")

    expect(laptop.page.locator("#sessions .session-item__title")).to_have_text(["Here"])
    assert laptop.page.url.endswith("/")
    expect(laptop.page.locator("#title")).to_have_text("Here")


def test_a_menu_stays_open_while_the_list_is_refreshed(page_of: PageOf, alice: Person) -> None:
    session = alice.session("Taxes")
    laptop = page_of(alice).open(session)
    laptop.page.get_by_role("button", name="Rename, archive or delete “Taxes”").click()
    archive = laptop.page.locator("#sessions").get_by_role("button", name="Archive", exact=True)
    archive.focus()
    laptop.page.evaluate(COUNT_REFRESHES)

    page_of(alice, "phone").open(session).send(script(words=3, every_ms=1)).see_words(3)

    laptop.see_words(3).page.wait_for_function("() => window.refreshes > 0")
    expect(archive).to_be_focused()
    laptop.press("Enter")
    expect(laptop.page.locator("#sessions [data-archived]")).to_contain_text("Taxes")


def test_what_was_answered_elsewhere_is_unread_until_it_is_opened(page_of: PageOf, alice: Person) -> None:
    session = alice.session("Elsewhere")
    post_message(session, alice.author, script(words=3, every_ms=1))
    until(lambda: newest_run(session).state == "completed")
    laptop = page_of(alice).go("/")
    expect(laptop.page.locator("#sessions [data-unread]")).to_contain_text("Elsewhere")

    laptop.page.get_by_role("link", name="Elsewhere").click()
    laptop.live().see_words(3)

    laptop.go("/")  # at once, before the page has told by itself what was read
    until(lambda: not laptop.reload().page.locator("#sessions [data-unread]").count())
