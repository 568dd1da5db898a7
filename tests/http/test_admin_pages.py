"""What every admin page has in common: for staff only, safe under the CSP, and as cheap for many rows as for few."""

import re
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sessions_core.models import ApiToken, Device, Event, Participant, Run, Session
from sessions_core.services import tokens
from tests.http.callers import begun, claimed, said

LISTS: Final = ("session", "run", "participant", "device", "apitoken")
# Script without a src, style in the page, or a handler in an attribute: all of them the CSP forbids.
_INLINE: Final = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE
)


def furnish(user: User) -> None:
    """One more row of everything."""
    session = begun(user, title="Trip")
    said(session, user)
    Device.objects.create(user=user, key=uuid4(), label="phone")
    tokens.issue(user, label="backup")


@pytest.fixture
def alices_and_bobs(alice: User, bob: User) -> None:
    """One row of everything of Alice's, and one of Bob's."""
    furnish(alice)
    furnish(bob)


def page(name: str) -> str:
    return f"/admin/sessions_core/{name}/"


def pages() -> list[str]:
    """Every admin page of what there is."""
    session, run = Session.objects.latest("created_at"), Run.objects.latest("requested_at")
    rows: list[tuple[str, object]] = [("session", session.pk), ("run", run.pk)]
    rows += [("participant", Participant.objects.latest("pk").pk), ("device", Device.objects.latest("pk").pk)]
    rows += [("apitoken", ApiToken.objects.latest("pk").pk)]
    changes = [f"{page(name)}{key}/change/" for name, key in rows]
    return [
        *map(page, LISTS),
        *changes,
        f"{page('session')}{session.pk}/events/",
        f"{page('session')}{session.pk}/delete/",
        f"{page('session')}{session.pk}/history/",
    ]


def test_every_page_is_there_and_safe_under_the_csp(staff: Client, alice: User) -> None:
    furnish(alice)

    answers = {address: staff.get(address) for address in pages()}

    assert {address: answer.status_code for address, answer in answers.items() if answer.status_code != 200} == {}
    found = {address: _INLINE.findall(answer.content.decode()) for address, answer in answers.items()}
    assert {address: inline for address, inline in found.items() if inline} == {}
    assert all("script-src 'self'" in answer.headers["Content-Security-Policy"] for answer in answers.values())


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_however_long_it_is(name: str, staff: Client, alice: User, bob: User) -> None:
    furnish(alice)
    staff.get(page(name))
    with CaptureQueriesContext(connection) as few:
        staff.get(page(name))

    for user in (alice, bob, bob, alice, bob):
        furnish(user)

    with CaptureQueriesContext(connection) as many:
        answer = staff.get(page(name))
    assert answer.content.count(b'class="action-select"') in {0, 6}
    assert len(many) == len(few)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("sought", ["trip", "alice", "%00", "' OR 1=1", "😀", "x" * 5000, str(uuid4()), "%"])
def test_a_list_is_searched_with_anything(name: str, sought: str, staff: Client, alice: User) -> None:
    furnish(alice)

    assert staff.get(page(name), {"q": sought.replace("%00", "\x00")}).status_code == 200


@pytest.mark.parametrize(
    ("name", "sought", "count"),
    [
        *(("session", "trip", 2), ("session", "alice", 1), ("session", "nothing", 0)),
        *(("run", "trip", 2), ("run", "guide", 2), ("participant", "bob", 1), ("device", "phone", 2)),
        *(("apitoken", "backup", 2), ("apitoken", "alice", 1)),
    ],
)
@pytest.mark.usefixtures("alices_and_bobs")
def test_a_search_finds(name: str, sought: str, count: int, staff: Client) -> None:
    assert staff.get(page(name), {"q": sought}).context["cl"].result_count == count


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("session", lambda: Session.objects.latest("created_at").pk),
        ("run", lambda: Run.objects.latest("requested_at").pk),
        ("run", lambda: Session.objects.latest("created_at").pk),
        ("participant", lambda: Session.objects.latest("created_at").pk),
        ("device", lambda: Device.objects.latest("pk").key),
    ],
)
@pytest.mark.usefixtures("alices_and_bobs")
def test_an_id_finds_its_rows(name: str, key: Callable[[], object], staff: Client) -> None:
    answer = staff.get(page(name), {"q": f" {key()} "})

    assert answer.context["cl"].result_count == 1


@pytest.mark.parametrize(
    ("name", "query"),
    [
        *(("session", "policy__exact=queue"), ("session", "archived_at__isempty=1"), ("session", "o=1")),
        *(("run", "state__exact=requested"), ("run", "agent=guide"), ("run", "lease=held"), ("run", "lease=lapsed")),
        *(("run", "agent=%00"), ("run", "lease=%00"), ("run", "session__id__exact=x"), ("run", "p=99999")),
        *(("run", "state__exact=%00"), ("session", "policy__exact=%00"), ("participant", "role__exact=%00")),
        *(("run", "session__id__exact=%00"), ("device", "last_seen_at__gte=%00"), ("apitoken", "can_write__exact=%00")),
        *(
            ("participant", "role__exact=owner"),
            ("apitoken", "revoked_at__isempty=1"),
            ("apitoken", "can_write__exact=1"),
        ),
    ],
)
def test_a_list_is_filtered(name: str, query: str, staff: Client, alice: User) -> None:
    furnish(alice)

    assert staff.get(f"{page(name)}?{query}", follow=True).status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_nothing_is_added_or_edited_by_hand(name: str, staff: Client, alice: User) -> None:
    furnish(alice)
    change = next(address for address in pages() if address.startswith(page(name)) and address.endswith("/change/"))

    assert staff.get(f"{page(name)}add/").status_code == 403
    assert staff.post(f"{page(name)}add/", {}).status_code == 403
    assert staff.post(change, {"title": "mine", "state": "completed", "role": "owner"}).status_code == 403


@pytest.mark.parametrize("name", ["run", "participant", "device", "apitoken"])
def test_what_the_engine_owns_is_not_deleted_by_hand(name: str, staff: Client, alice: User) -> None:
    furnish(alice)
    change = next(address for address in pages() if address.startswith(page(name)) and address.endswith("/change/"))

    assert staff.post(change.replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403


def test_events_have_no_page_that_could_change_them(staff: Client, alice: User) -> None:
    furnish(alice)
    session = Session.objects.get()
    count = Event.objects.count()

    for method in ("post", "put", "patch", "delete"):
        answer = getattr(staff, method)(f"{page('session')}{session.pk}/events/", {"seq": 1})
        assert answer.status_code == 405
    assert staff.get("/admin/sessions_core/event/").status_code == 404
    assert Event.objects.count() == count


@pytest.mark.parametrize("name", LISTS)
def test_others_are_not_let_in(name: str, client: Client, alice: User) -> None:
    furnish(alice)
    client.force_login(alice)

    assert client.get(page(name)).status_code == 302
    User.objects.update(is_staff=True)
    assert client.get(page(name)).status_code == 403
    assert client.get(f"{page('session')}{Session.objects.get().pk}/events/").status_code == 404


def test_who_may_only_look_finds_no_actions(client: Client, alice: User) -> None:
    furnish(alice)
    run = Run.objects.get()
    claimed(run.pk)
    User.objects.update(is_staff=True)
    alice.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(User.objects.get())

    client.post(page("run"), {"action": "stop", "_selected_action": [str(run.pk)]})
    client.post(page("apitoken"), {"action": "revoke", "_selected_action": [ApiToken.objects.get().pk]})
    client.post(f"{page('session')}{run.session_id}/delete/", {"post": "yes"})

    assert client.get(page("run")).status_code == 200
    run.refresh_from_db()
    assert run.cancel_requested_at is None
    assert ApiToken.objects.get().revoked_at is None
    assert Session.objects.exists()
