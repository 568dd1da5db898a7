"""Messages that were sent without a network arrive once and in order, also after a reload."""

import pytest
from playwright.sync_api import Error, expect

from tests.agents.facts import said, words
from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, posted
from tests.e2e.screen import OUTAGE
from tests.e2e.site import Site
from tests.support.proxy import Proxy, Way
from tests.support.scripts import script
from tests.support.waiting import until


def test_what_is_sent_offline_arrives_once_and_in_order(page_of: PageOf, alice: Person, network: Proxy) -> None:
    session = alice.session()
    laptop = page_of(alice, port=network.port).open(session).mark()
    laptop.complaints.expect(OUTAGE)

    network.refuse()
    expect(laptop.pill).to_have_attribute("data-state", "reconnecting")
    laptop.send(script(words=3)).send(script(words=4))
    assert posted(session) == []
    network.heal()

    laptop.live().see_words(4)
    assert posted(session) == [script(words=3), script(words=4)]
    expect(laptop.said).to_have_count(2)
    assert laptop.marked


def test_what_is_sent_offline_survives_a_reload(page_of: PageOf, alice: Person, network: Proxy) -> None:
    session = alice.session()
    laptop = page_of(alice, port=network.port).open(session)
    laptop.complaints.expect(OUTAGE)
    network.refuse()
    laptop.send(script(words=6))

    with pytest.raises(Error, match="ERR_"):
        laptop.reload()
    laptop.page.wait_for_url("chrome-error://**")
    network.heal()
    laptop.open(session)

    laptop.see_words(6)
    expect(laptop.said).to_have_count(1)
    laptop.reload().live().see_words(6)
    assert posted(session) == [script(words=6)]


def test_a_lost_answer_to_a_post_does_not_make_it_two(page_of: PageOf, alice: Person, network: Proxy) -> None:
    session = alice.session()
    laptop = page_of(alice, port=network.port).open(session)
    laptop.complaints.expect(OUTAGE)

    network.stall(Way.TO_CLIENT)
    laptop.send(script(words=8, every_ms=5))
    until(lambda: posted(session))
    network.cut()
    network.heal()

    laptop.see_words(8)
    assert posted(session) == [script(words=8, every_ms=5)]
    expect(laptop.said).to_have_count(1)


def test_a_stalled_network_is_noticed_and_the_answer_goes_on(
    page_of: PageOf, alice: Person, site: Site, network: Proxy
) -> None:
    """A black hole, as when a phone changes networks. The `online` event makes the page test its connection."""
    session = alice.session()
    laptop = page_of(alice, port=network.port).open(session).mark()
    laptop.complaints.expect(OUTAGE)
    laptop.send(script(words=300, wait_at=10)).see_word(10)

    network.stall()
    laptop.page.evaluate("dispatchEvent(new Event('online'))")
    expect(laptop.pill).to_have_attribute("data-state", "reconnecting")
    site.allow(session, 150)
    until(lambda: said(session) == words(150))
    network.cut()
    network.heal()
    site.allow(session, 300)

    laptop.see_words(300)
    assert laptop.marked


def test_two_tabs_with_one_outbox_send_once(page_of: PageOf, alice: Person, network: Proxy) -> None:
    session = alice.session()
    tab, other = (page_of(alice, port=network.port).open(session) for _ in range(2))
    tab.complaints.expect(OUTAGE)
    network.refuse()
    for each in (tab, other):
        expect(each.pill).to_have_attribute("data-state", "reconnecting")

    tab.send(script(words=3))
    other.send(script(words=4))
    network.heal()

    for each in (tab, other):
        each.live()
        expect(each.said).to_have_count(2)
        expect(each.page.locator(".agent-message")).to_have_count(2)
        each.see_quiet()
    assert sorted(posted(session)) == [script(words=3), script(words=4)]


def test_a_closed_tab_leaves_its_message_to_the_next(page_of: PageOf, alice: Person, network: Proxy) -> None:
    session, other = alice.session(), alice.session()
    tab = page_of(alice, port=network.port).open(session)
    tab.complaints.expect(OUTAGE)
    network.refuse()
    tab.send(script(words=7))
    tab.page.close()
    network.heal()

    page_of(alice, port=network.port).open(other)  # the page of another Session sends it as well

    until(lambda: posted(session) == [script(words=7)])
