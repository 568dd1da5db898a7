"""Staff read a log, stop Runs, revoke tokens and delete Sessions, all through the acts of `services`."""

import re
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks

from sessions_core import log
from sessions_core.admin.events import PAGE_EVENTS
from sessions_core.models import ApiToken, Event, Participant, Run, Session
from sessions_core.protocol.events import SYSTEM, RunCompleted, SessionRenamed
from sessions_core.protocol.ids import SessionId
from sessions_core.services import deletion, runs, tokens
from tests.http.clients import claim_run, create_session, post_message


def events_address(session: SessionId) -> str:
    return f"/admin/sessions_core/session/{session}/events/"


def seqs(content: bytes) -> list[int]:
    return [int(seq) for seq in re.findall(rb"<th>(\d+)</th>", content)]


def long_log(user: User, *, events: int) -> SessionId:
    session = create_session(user)
    log.append(session, [SessionRenamed(title=f"t{n}") for n in range(events - 2)], actor=SYSTEM)
    return session


def test_a_log_is_shown_in_order_with_its_data(staff: Client, alice: User) -> None:
    session = create_session(alice, title="Trip")
    posted = post_message(session, alice, "Where to <b>go</b>?")

    shown = staff.get(events_address(session)).content

    assert seqs(shown) == [1, 2, 3, 4]
    assert b"message.posted" in shown
    assert b"Where to &lt;b&gt;go&lt;/b&gt;?" in shown
    assert f"/admin/sessions_core/run/{posted.run}/change/".encode() in shown


def test_a_long_log_is_paged_both_ways(staff: Client, alice: User) -> None:
    session = long_log(alice, events=2 * PAGE_EVENTS + 5)

    first = staff.get(events_address(session))
    links = dict(first.context["links"])
    second = staff.get(links["Later"])
    last = staff.get(links["Last"])
    back = staff.get(dict(last.context["links"])["Earlier"])

    assert set(links) == {"Later", "Last"}
    assert seqs(first.content) == list(range(1, PAGE_EVENTS + 1))
    assert seqs(second.content) == list(range(PAGE_EVENTS + 1, 2 * PAGE_EVENTS + 1))
    assert seqs(last.content) == list(range(PAGE_EVENTS + 6, 2 * PAGE_EVENTS + 6))
    assert seqs(back.content) == list(range(6, PAGE_EVENTS + 6))
    assert set(dict(second.context["links"])) == {"First", "Earlier", "Later", "Last"}


def test_a_log_is_filtered_by_kind(staff: Client, alice: User) -> None:
    session = create_session(alice)
    post_message(session, alice)
    post_message(session, alice)

    shown = staff.get(events_address(session), {"kind": "message.posted"})

    kinds = Event.objects.filter(session=session, kind="message.posted").values_list("seq", flat=True)
    assert seqs(shown.content) == sorted(kinds)


@pytest.mark.parametrize(
    "query", ["after=x", "after=-1", "before=" + "9" * 400, "kind=%00", "kind=nothing", "after=%00"]
)
def test_a_strange_page_of_a_log_is_a_page(query: str, staff: Client, alice: User) -> None:
    session = create_session(alice)

    assert staff.get(f"{events_address(session)}?{query}").status_code == 200


def test_the_log_of_no_session_is_not_there(staff: Client) -> None:
    assert staff.get(f"/admin/sessions_core/session/{uuid4()}/events/").status_code == 404


def test_a_log_costs_the_same_however_long_it_is(staff: Client, alice: User) -> None:
    short, long = long_log(alice, events=3), long_log(alice, events=PAGE_EVENTS + 50)
    staff.get(events_address(short))

    with CaptureQueriesContext(connection) as few:
        staff.get(events_address(short))
    with CaptureQueriesContext(connection) as many:
        staff.get(events_address(long))

    assert len(many) == len(few)


def test_from_a_session_one_finds_its_log_and_its_runs(staff: Client, alice: User) -> None:
    session = create_session(alice)
    claim = claim_run(post_message(session, alice).run)
    post_message(create_session(alice), alice)

    shown = staff.get(f"/admin/sessions_core/session/{session}/change/").content.decode()
    listed = staff.get(f"/admin/sessions_core/run/?session__id__exact={session}")

    assert events_address(session) in shown
    assert f"/admin/sessions_core/run/?session__id__exact={session}" in shown
    assert [run.pk for run in listed.context["cl"].result_list] == [claim.run]
    assert "worker-1" in listed.content.decode()
    assert re.search(r"\d\.\d s left", listed.content.decode())


def test_stopping_a_run_is_a_line_in_its_log(staff: Client, alice: User) -> None:
    claim = claim_run(post_message(create_session(alice), alice).run)

    response = staff.post(
        "/admin/sessions_core/run/", {"action": "stop", "_selected_action": [str(claim.run)]}, follow=True
    )

    event = Event.objects.get(kind="run.cancel_requested")
    assert event.actor_name == "Ruth"
    assert Run.objects.get().cancel_requested_at is not None
    assert "is being stopped" in response.content.decode()
    assert LogEntry.objects.get().change_message == "Stopped."


def test_stopping_what_has_ended_says_so(staff: Client, alice: User) -> None:
    claim = claim_run(post_message(create_session(alice), alice).run)
    runs.finish(claim, RunCompleted())

    response = staff.post(
        "/admin/sessions_core/run/", {"action": "stop", "_selected_action": [str(claim.run)]}, follow=True
    )

    assert "It has already ended" in response.content.decode()
    assert not Event.objects.filter(kind="run.cancel_requested").exists()


def test_revoking_ends_a_token(staff: Client, alice: User, bob: User) -> None:
    gone, kept = tokens.issue(alice), tokens.issue(bob)
    chosen = ApiToken.objects.get(user=alice)

    staff.post("/admin/sessions_core/apitoken/", {"action": "revoke", "_selected_action": [chosen.pk]})

    assert tokens.find(gone) is None
    assert tokens.find(kept) is not None
    assert LogEntry.objects.get().change_message == "Revoked."


@pytest.mark.parametrize("way", ["page", "action"])
def test_deleting_a_session_takes_all_of_it(
    way: str, staff: Client, alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    session, kept = create_session(alice, title="Old"), create_session(alice, title="Kept")
    post_message(session, alice)
    base = "/admin/sessions_core/session/"

    with django_capture_on_commit_callbacks(execute=True) as hints:
        if way == "page":
            confirmation = staff.get(f"{base}{session}/delete/").content.decode()
            deleted = staff.post(f"{base}{session}/delete/", {"post": "yes"})
        else:
            chosen = {"action": "delete_selected", "_selected_action": [str(session)]}
            confirmation = staff.post(base, chosen).content.decode()
            deleted = staff.post(base, {**chosen, "post": "yes"})

    assert "events: 4" in confirmation.lower()
    assert deleted.status_code == 302
    assert hints
    while deletion.remove_piece():
        pass
    assert [row.pk for row in Session.objects.all()] == [kept]
    assert set(Event.objects.values_list("session", flat=True)) == {kept}
    assert set(Participant.objects.values_list("session", flat=True)) == {kept}
    assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_session_is_deleted_outside_of_any_other_transaction(staff: Client, alice: User) -> None:
    session = create_session(alice)

    deleted = staff.post(f"/admin/sessions_core/session/{session}/delete/", {"post": "yes"})

    assert deleted.status_code == 302
    assert not Session.objects.filter(deleted_at=None).exists()


def test_deleting_needs_the_csrf_token(alice: User) -> None:
    session = create_session(alice)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("root"))

    assert strict.post(f"/admin/sessions_core/session/{session}/delete/", {"post": "yes"}).status_code == 403
    assert Session.objects.exists()


@pytest.mark.parametrize("by_action", [False, True])
def test_staff_delete_a_user_who_takes_part_in_sessions(
    staff: Client,
    alice: User,
    by_action: bool,  # noqa: FBT001  # a column of the table
) -> None:
    session = create_session(alice)
    post_message(session, alice)
    tokens.issue(alice, label="backup")
    if by_action:
        address, form = "/admin/auth/user/", {"action": "delete_selected", "_selected_action": str(alice.pk)}
    else:
        address, form = f"/admin/auth/user/{alice.pk}/delete/", {}

    asked = staff.post(address, form) if by_action else staff.get(address)
    assert b"passed on" in asked.content
    staff.post(address, {**form, "post": "yes"})

    assert not User.objects.filter(pk=alice.pk).exists()
    assert not Participant.objects.filter(session_id=session).exists()
