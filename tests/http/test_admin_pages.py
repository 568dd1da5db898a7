"""Every admin page is for staff only, safe under the CSP, and costs as many queries for many rows as for few."""

import re
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sessions_core.admin.events import SHOWN_BYTES
from sessions_core.models import ApiToken, Ask, Device, Event, Participant, Run, Session
from sessions_core.services import tokens
from tests.http.clients import claim_run, create_session, post_message

UNKNOWN_ID: Final = "00000000-0000-4000-8000-000000000000"  # fixed: the workers of xdist must find the same tests
LISTS: Final = ("session", "run", "ask", "participant", "device", "apitoken")
# Inline scripts, styles and event handlers: the CSP forbids all of them.
_INLINE: Final = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE
)


def create_one_of_each(user: User) -> None:
    """Creates one row for each of the lists."""
    session = create_session(user, title="Trip")
    run = post_message(session, user).run
    Ask.objects.create(session_id=session, run_id=run, key="ask-1", kind="form", title="Go on?", schema={})
    Device.objects.create(user=user, key=uuid4(), label="phone")
    tokens.issue(user, label="backup")


@pytest.fixture
def two_of_each(alice: User, bob: User) -> None:
    """Creates one row of Alice's and one of Bob's for each of the lists."""
    create_one_of_each(alice)
    create_one_of_each(bob)


def list_address(name: str) -> str:
    return f"/admin/sessions_core/{name}/"


def all_addresses() -> list[str]:
    """Returns the address of every list, and of every page of the newest row in it."""
    session, run = Session.objects.latest("created_at"), Run.objects.latest("requested_at")
    rows: list[tuple[str, object]] = [("session", session.pk), ("run", run.pk)]
    rows += [
        ("ask", Ask.objects.latest("opened_at").pk),
        ("participant", Participant.objects.latest("pk").pk),
        ("device", Device.objects.latest("pk").pk),
    ]
    rows += [("apitoken", ApiToken.objects.latest("pk").pk)]
    changes = [f"{list_address(name)}{key}/change/" for name, key in rows]
    return [
        *map(list_address, LISTS),
        *changes,
        f"{list_address('session')}{session.pk}/events/",
        f"{list_address('session')}{session.pk}/delete/",
        f"{list_address('session')}{session.pk}/history/",
    ]


def change_address(name: str) -> str:
    starts, ends = list_address(name), "/change/"
    return next(address for address in all_addresses() if address.startswith(starts) and address.endswith(ends))


def test_every_page_is_there_and_safe_under_the_csp(staff: Client, alice: User) -> None:
    create_one_of_each(alice)

    responses = {address: staff.get(address) for address in all_addresses()}

    assert {
        address: response.status_code for address, response in responses.items() if response.status_code != 200
    } == {}
    found = {address: _INLINE.findall(response.content.decode()) for address, response in responses.items()}
    assert {address: inline for address, inline in found.items() if inline} == {}
    assert all("script-src 'self'" in response.headers["Content-Security-Policy"] for response in responses.values())


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_however_long_it_is(name: str, staff: Client, alice: User, bob: User) -> None:
    create_one_of_each(alice)
    staff.get(list_address(name))
    with CaptureQueriesContext(connection) as few:
        staff.get(list_address(name))

    for user in (alice, bob, bob, alice, bob):
        create_one_of_each(user)

    with CaptureQueriesContext(connection) as many:
        response = staff.get(list_address(name))
    assert response.content.count(b'class="action-select"') in {0, 6}
    assert len(many) == len(few)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("term", ["trip", "alice", "%00", "' OR 1=1", "😀", "x" * 5000, UNKNOWN_ID, "%"])
def test_a_list_is_searched_with_anything(name: str, term: str, staff: Client, alice: User) -> None:
    create_one_of_each(alice)

    assert staff.get(list_address(name), {"q": term.replace("%00", "\x00")}).status_code == 200


@pytest.mark.parametrize(
    ("name", "term", "count"),
    [
        *(("session", "trip", 2), ("session", "alice", 1), ("session", "nothing", 0)),
        *(
            ("run", "trip", 2),
            ("run", "guide", 2),
            ("ask", "go on", 2),
            ("ask", "trip", 2),
            ("participant", "bob", 1),
            ("device", "phone", 2),
        ),
        *(("apitoken", "backup", 2), ("apitoken", "alice", 1)),
    ],
)
@pytest.mark.usefixtures("two_of_each")
def test_a_search_finds(name: str, term: str, count: int, staff: Client) -> None:
    assert staff.get(list_address(name), {"q": term}).context["cl"].result_count == count


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("session", lambda: Session.objects.latest("created_at").pk),
        ("run", lambda: Run.objects.latest("requested_at").pk),
        ("run", lambda: Session.objects.latest("created_at").pk),
        ("ask", lambda: Ask.objects.latest("opened_at").pk),
        ("ask", lambda: Run.objects.latest("requested_at").pk),
        ("participant", lambda: Session.objects.latest("created_at").pk),
        ("device", lambda: Device.objects.latest("pk").key),
    ],
)
@pytest.mark.usefixtures("two_of_each")
def test_an_id_finds_its_rows(name: str, key: Callable[[], object], staff: Client) -> None:
    response = staff.get(list_address(name), {"q": f" {key()} "})

    assert response.context["cl"].result_count == 1


@pytest.mark.parametrize(
    ("name", "query"),
    [
        *(("session", "policy__exact=queue"), ("session", "archived_at__isempty=1"), ("session", "o=1")),
        *(("run", "state__exact=requested"), ("run", "agent=guide"), ("run", "lease=held"), ("run", "lease=lapsed")),
        *(("ask", "state__exact=open"), ("ask", "kind__exact=%00"), ("ask", "session__id__exact=x")),
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
    create_one_of_each(alice)

    assert staff.get(f"{list_address(name)}?{query}", follow=True).status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_nothing_is_added_or_edited_by_hand(name: str, staff: Client, alice: User) -> None:
    create_one_of_each(alice)
    change = next(
        address
        for address in all_addresses()
        if address.startswith(list_address(name)) and address.endswith("/change/")
    )

    assert staff.get(f"{list_address(name)}add/").status_code == 403
    assert staff.post(f"{list_address(name)}add/", {}).status_code == 403
    assert staff.post(change, {"title": "mine", "state": "completed", "role": "owner"}).status_code == 403


@pytest.mark.parametrize("name", ["run", "participant", "device", "apitoken"])
def test_what_the_engine_owns_is_not_deleted_by_hand(name: str, staff: Client, alice: User) -> None:
    create_one_of_each(alice)
    change = next(
        address
        for address in all_addresses()
        if address.startswith(list_address(name)) and address.endswith("/change/")
    )

    assert staff.post(change.replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403


def test_events_have_no_page_that_could_change_them(staff: Client, alice: User) -> None:
    create_one_of_each(alice)
    session = Session.objects.get()
    count = Event.objects.count()

    for method in ("post", "put", "patch", "delete"):
        response = getattr(staff, method)(f"{list_address('session')}{session.pk}/events/", {"seq": 1})
        assert response.status_code == 405
    assert staff.get("/admin/sessions_core/event/").status_code == 404
    assert Event.objects.count() == count


def test_a_page_of_large_events_is_small(staff: Client, alice: User) -> None:
    session = create_session(alice, title="Trip")
    post_message(session, alice, "x" * (SHOWN_BYTES + 1))

    page = staff.get(f"{list_address('session')}{session}/events/").content.decode()

    assert "&quot;title&quot;: &quot;Trip&quot;" in page
    assert "too many to show here" in page
    assert len(page) < SHOWN_BYTES


@pytest.mark.parametrize("name", LISTS)
def test_others_are_not_let_in(name: str, client: Client, alice: User) -> None:
    create_one_of_each(alice)
    client.force_login(alice)

    assert client.get(list_address(name)).status_code == 302
    User.objects.update(is_staff=True)
    assert client.get(list_address(name)).status_code == 403
    assert client.get(f"{list_address('session')}{Session.objects.get().pk}/events/").status_code == 404


def test_who_may_only_look_finds_no_actions(client: Client, alice: User) -> None:
    create_one_of_each(alice)
    run = Run.objects.get()
    claim_run(run.pk)
    User.objects.update(is_staff=True)
    alice.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(User.objects.get())

    client.post(list_address("run"), {"action": "stop", "_selected_action": [str(run.pk)]})
    client.post(list_address("apitoken"), {"action": "revoke", "_selected_action": [ApiToken.objects.get().pk]})
    client.post(f"{list_address('session')}{run.session_id}/delete/", {"post": "yes"})

    assert client.get(list_address("run")).status_code == 200
    run.refresh_from_db()
    assert run.cancel_requested_at is None
    assert ApiToken.objects.get().revoked_at is None
    assert Session.objects.exists()
