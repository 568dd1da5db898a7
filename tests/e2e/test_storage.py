"""A browser that stores nothing, or not everything: private windows, blocked storage, a full disk. Nothing typed is lost."""

from typing import Final

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, posted
from tests.e2e.screen import OUTAGE
from tests.support.proxy import Proxy
from tests.support.scripts import script

THROWS: Final = "throw new DOMException('The operation is insecure.', 'SecurityError')"
NO_DATABASE: Final = f"IDBFactory.prototype.open = () => {{ {THROWS}; }};"
FULL_DATABASE: Final = "IDBObjectStore.prototype.add = () => { throw new DOMException('full', 'QuotaExceededError'); };"
NO_STORAGE: Final = f"""
  for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"])
    Object.defineProperty(window, name, {{ get() {{ {THROWS}; }} }});
"""
NO_COOKIES: Final = f"Object.defineProperty(document, 'cookie', {{ get() {{ {THROWS}; }}, set() {{ {THROWS}; }} }});"
ONLY_DRAFTS: Final = """
  const { setItem } = Storage.prototype;
  Storage.prototype.setItem = function (key, value) {
    if (!key.startsWith("ds:draft:")) throw new DOMException("full", "QuotaExceededError");
    setItem.call(this, key, value);
  };
"""


@pytest.mark.parametrize(
    "broken",
    [NO_DATABASE, FULL_DATABASE, NO_STORAGE, NO_STORAGE + NO_COOKIES],
    ids=["no database", "full database", "no storage", "no storage, no cookies"],
)
def test_the_page_works_whatever_the_browser_forbids(page_of: PageOf, alice: Person, broken: str) -> None:
    session = alice.session()
    laptop = page_of(alice)
    laptop.page.add_init_script(broken)
    laptop.open(session)

    laptop.send(script(words=5)).see_words(5)
    laptop.send(script(words=7)).see_words(7)
    laptop.reload().live().see_words(7)

    assert posted(session) == [script(words=5), script(words=7)]


@pytest.mark.parametrize("broken", [NO_DATABASE, FULL_DATABASE], ids=["no database", "full database"])
def test_what_is_sent_offline_survives_a_reload_without_a_database(
    page_of: PageOf, alice: Person, network: Proxy, broken: str
) -> None:
    session = alice.session()
    laptop = page_of(alice, port=network.port)
    laptop.page.add_init_script(broken)
    laptop.open(session).complaints.expect(OUTAGE)
    network.refuse()
    laptop.send(script(words=6)).send(script(words=7))

    laptop.page.goto("about:blank")
    network.heal()
    laptop.open(session)

    laptop.see_words(7)
    expect(laptop.box).to_have_value("")
    assert posted(session) == [script(words=6), script(words=7)]


def test_what_nothing_could_store_is_in_the_composer_again_after_a_reload(
    page_of: PageOf, alice: Person, network: Proxy
) -> None:
    session = alice.session()
    laptop = page_of(alice, port=network.port)
    laptop.page.add_init_script(NO_DATABASE + ONLY_DRAFTS)
    laptop.open(session).complaints.expect(OUTAGE)
    network.refuse()
    laptop.send("The first thought").write("and half of")

    laptop.page.goto("about:blank")
    network.heal()
    laptop.open(session)

    expect(laptop.box).to_have_value("The first thought\n\nand half of")
    laptop.submit().see_note("That is no script")
    laptop.reload().live()
    expect(laptop.box).to_have_value("")
    assert posted(session) == ["The first thought\n\nand half of"]
