"""Pages that others wrote, Swagger's and Django's admin, work under our CSP; and the API over a real connection."""

from collections.abc import Iterator

import httpx
from playwright.sync_api import expect

from chatapp.pages.body_limit import REQUEST_BODY_LIMIT
from sessions_core.models import Participant, Run, Session
from sessions_core.services import tokens
from tests.db.acts import post_message
from tests.e2e.conftest import PageOf
from tests.e2e.people import Person, newest_run
from tests.e2e.site import Site
from tests.support.scripts import script
from tests.support.waiting import until


def test_the_api_is_tried_in_the_browser(page_of: PageOf, alice: Person) -> None:
    page = page_of(alice).go("/api/docs").page

    create = page.locator(".opblock-post", has=page.locator("[data-path='/api/sessions']"))
    create.locator(".opblock-summary-control").click()
    create.get_by_role("button", name="Try it out").click()
    create.get_by_role("button", name="Execute").click()

    expect(create.locator(".live-responses-table .response-col_status").last).to_contain_text("201")
    assert Participant.objects.filter(user=alice.user, role="owner").count() == 1


def test_an_operator_finds_what_a_run_did_and_stops_another(page_of: PageOf, alice: Person) -> None:
    alice.user.is_staff = alice.user.is_superuser = True
    alice.user.save()
    session = alice.session("Trip to the sea")
    post_message(session, alice.author, script(words=3))
    until(lambda: Run.objects.filter(session_id=session, state="completed").exists())
    post_message(session, alice.author, script(wait_at=1))
    until(lambda: newest_run(session).state == "running")
    page = page_of(alice).go("/admin/sessions_core/session/?q=sea").page

    page.get_by_role("link", name="Trip to the sea").first.click()
    page.get_by_role("link", name="Events", exact=True).click()
    expect(page.locator("#content")).to_contain_text('"text": "w1 w2 w3"')
    page.go_back()
    page.get_by_role("link", name="Runs", exact=True).first.click()
    page.locator("tr", has_text="unning").locator("input.action-select").check()
    page.locator("select[name=action]").select_option("stop")
    page.get_by_role("button", name="Go").click()

    expect(page.locator(".messagelist")).to_contain_text("is being stopped")
    until(lambda: Run.objects.filter(session_id=session, state="cancelled").exists())


def test_a_session_is_deleted_by_an_operator(page_of: PageOf, alice: Person) -> None:
    alice.user.is_staff = alice.user.is_superuser = True
    alice.user.save()
    session = alice.session("To be gone")
    page = page_of(alice).go(f"/admin/sessions_core/session/{session}/delete/").page

    page.get_by_role("button", name="Yes, I’m sure").click()

    expect(page.locator(".messagelist")).to_contain_text("was deleted successfully")
    assert not Session.objects.filter(pk=session, deleted_at=None).exists()


def test_a_body_without_end_is_refused_over_a_real_connection(site: Site, alice: Person) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 64 * REQUEST_BODY_LIMIT:
            sent += 64 * 1024
            yield b"x" * 64 * 1024

    headers = {"Authorization": f"Bearer {tokens.issue(alice.user)}"}
    try:
        status = httpx.post(f"{site.url}/api/sessions", content=endless(), headers=headers).status_code
    except (httpx.WriteError, httpx.ReadError):
        status = 0  # closed while it was still sending

    assert status in {413, 0}
    assert httpx.get(f"{site.url}/api/sessions", headers=headers).status_code == 200


def test_head_has_the_length_and_no_body(site: Site, alice: Person) -> None:
    headers = {"Authorization": f"Bearer {tokens.issue(alice.user)}"}

    with httpx.Client(base_url=site.url, headers=headers) as client:
        head, got = client.head("/api/sessions"), client.get("/api/sessions")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(got.content))
