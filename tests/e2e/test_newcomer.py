"""What a newcomer does first, with the link that `make run` printed and no model set."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PageOf
from tests.e2e.people import Person
from tests.e2e.site import Site
from tests.support.scripts import script


def test_a_newcomer_signs_in_asks_and_reads_the_answer(page_of: PageOf, site: Site) -> None:
    laptop = page_of(None, port=urlsplit(site.plain_url).port)
    link = urlsplit(site.machine.sign_in_link()).path

    laptop.go(link).click("Sign in as Demo").see("What shall we work on?").see("No model is set, so Guide answers.")
    laptop.write("How do I write an agent?").submit()

    laptop.page.wait_for_url(re.compile(r"/s/[0-9a-f-]{36}/$"))
    expect(laptop.said).to_have_text(re.compile("How do I write an agent?"))
    expect(laptop.answer).to_have_attribute("data-state", "complete")
    expect(laptop.text).to_contain_text(re.compile(r"From: docs/[\w/-]+\.md"))
    laptop.see_quiet()
    answer = laptop.text.inner_text()
    laptop.reload().live()
    assert laptop.text.inner_text() == answer


@pytest.mark.daphne
def test_a_sign_in_link_opens_once(page_of: PageOf, alice: Person) -> None:
    link = alice.sign_in_link()
    scanner = page_of(None, "phone").go(link)  # as a mail program does before its reader
    page_of(None, "laptop").go(link).click("Sign in as Alice").see("What shall we work on?")

    scanner.complaints.expect("410")
    scanner.click("Sign in as Alice").see("This link does not open any more")
    stranger = page_of(None, "desktop")
    stranger.complaints.expect("410")
    stranger.go(link).see("This link does not open any more")


def test_a_new_session_is_in_the_list_and_gets_a_name(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).go("/")
    laptop.page.get_by_label("Who answers").select_option("script")
    laptop.write(script(words=20, every_ms=5)).submit()

    laptop.page.wait_for_url(re.compile("/s/"))
    laptop.see_words(20)
    expect(laptop.page.locator("#sessions .session-item[data-current]")).to_have_count(1)


@pytest.mark.daphne
def test_somebody_signs_up_and_out(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(None).go("/sign-up/")
    laptop.page.get_by_label("Username").fill(f"new-{alice.user.username}")
    laptop.page.get_by_label("Password").fill("correct horse battery")
    laptop.click("Make an account").see("What shall we work on?")

    laptop.page.locator(".account").click()
    laptop.click("Sign out").see("Sign in to Durable Sessions")
    laptop.go("/").see("Sign in to Durable Sessions")


def test_a_wrong_password_is_told(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(None).go("/sign-in/")
    laptop.page.get_by_label("Username").fill(alice.user.username)
    laptop.page.get_by_label("Password").fill("wrong")
    laptop.page.keyboard.press("Enter")

    expect(laptop.page.get_by_role("alert")).to_be_visible()
