import re
from datetime import date, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from chatapp.pages.session_list import PAGE_SESSIONS, heading
from sessions_core.models import Session
from sessions_core.protocol.ids import SessionId, UserId
from sessions_core.services import sessions
from tests.http.clients import ApiClient, create_session, post_message, with_participant

HTMX = {"HX-Request": "true"}


def title_of(session: SessionId) -> str:
    return Session.objects.get(pk=session).title


def test_the_list_has_ones_own_sessions_only(reader: Client, alice: User, mallory: User) -> None:
    create_session(alice, title="Trip to Lisbon")
    create_session(mallory, title="Secret plan")

    page = reader.get(reverse("home")).content.decode()

    assert "Trip to Lisbon" in page
    assert "Secret plan" not in page


@pytest.mark.parametrize(
    ("days", "words"),
    [(0, "Today"), (-1, "Today"), (1, "Yesterday"), (6, "Last 7 days"), (7, "November"), (400, "October 2025")],
)
def test_headings_are_days_then_months(days: int, words: str) -> None:
    today = date(2026, 11, 23)

    assert heading(today - timedelta(days=days), today=today) == words


def test_days_are_the_readers(reader: Client, alice: User) -> None:
    session = create_session(alice, title="Late")
    Session.objects.filter(pk=session).update(active_at=Now() - timedelta(hours=25))
    reader.cookies["timezone"] = "Nowhere/Else"

    assert "Late" in reader.get(reverse("sessions")).content.decode()


def test_searching_finds_by_title(reader: Client, alice: User) -> None:
    create_session(alice, title="Trip to Lisbon")
    create_session(alice, title="Regex for dates")

    found = reader.get(reverse("sessions"), {"search": "lisbon"}).content.decode()

    assert "Trip to Lisbon" in found
    assert "Regex" not in found
    assert "No session has that" in reader.get(reverse("sessions"), {"search": "zzz\x00"}).content.decode()


def test_a_long_list_is_paged_without_a_gap(reader: Client, alice: User) -> None:
    for number in range(PAGE_SESSIONS + 3):
        create_session(alice, title=f"<{number}>")

    Session.objects.update(active_at=Now())  # all in one moment: the hard case

    first = reader.get(reverse("sessions"))
    more = re.findall(r'hx-get="([^"]+before[^"]+)"', first.content.decode())
    second = reader.get(unescape(more[0]))

    shown = [session.title for page in (first, second) for _, group in page.context["groups"] for session in group]
    assert sorted(shown) == sorted(f"<{number}>" for number in range(PAGE_SESSIONS + 3))
    assert second.context["next"] is None


def test_a_broken_cursor_begins_anew(reader: Client, alice: User) -> None:
    create_session(alice, title="Here")

    assert "Here" in reader.get(reverse("sessions"), {"before": "yesterday"}).content.decode()


def test_renaming_by_htmx_tells_the_list_to_fetch_itself(reader: Client, alice: User) -> None:
    session = create_session(alice, title="Old")

    done = reader.post(reverse("rename", args=[session]), {"title": "  New\nname "}, headers=HTMX)

    assert (done.status_code, done.headers["HX-Trigger"]) == (204, '{"ds:sessions": {}}')
    assert title_of(session) == "New name"


def test_a_title_that_cannot_be_is_refused_with_a_sentence(reader: Client, alice: User) -> None:
    session = create_session(alice, title="Old")

    done = reader.post(reverse("rename", args=[session]), {"title": " "}, headers=HTMX)

    assert "A conversation needs a title." in done.headers["HX-Trigger"]
    assert title_of(session) == "Old"


def test_what_one_did_oneself_is_no_news(reader: Client, alice: User, bob: User) -> None:
    session = with_participant(create_session(alice, title="Old"), bob)
    reader.post(reverse("rename", args=[session]), {"title": "New"})

    assert not sessions.get(session, user=UserId(alice.pk)).unread
    assert sessions.get(session, user=UserId(bob.pk)).unread


def test_archiving_and_restoring(reader: Client, alice: User) -> None:
    session = create_session(alice)

    reader.post(reverse("archive", args=[session]))
    assert "This session is archived" in reader.get(reverse("session", args=[session])).content.decode()

    reader.post(reverse("restore", args=[session]))
    assert "This session is archived" not in reader.get(reverse("session", args=[session])).content.decode()


def test_deleting_what_one_looks_at_leads_home(reader: Client, alice: User) -> None:
    session = create_session(alice)
    here = {**HTMX, "HX-Current-URL": f"http://testserver{reverse('session', args=[session])}"}

    done = reader.post(reverse("delete", args=[session]), headers=here)

    assert done.headers["HX-Redirect"] == reverse("home")
    assert reader.get(reverse("session", args=[session])).status_code == 404


def test_only_the_owner_deletes(client: Client, alice: User, bob: User) -> None:
    session = with_participant(create_session(alice), bob)
    client.force_login(bob)

    done = client.post(reverse("delete", args=[session]), headers=HTMX)

    assert "Only the owner" in done.headers["HX-Trigger"]
    assert Session.objects.filter(pk=session).exists()


@pytest.mark.parametrize("act", ["rename", "archive", "restore", "delete", "post", "stop"])
def test_somebody_elses_session_is_as_if_absent(client: Client, alice: User, mallory: User, act: str) -> None:
    session = create_session(alice, title="Alice's")
    client.force_login(mallory)

    assert client.post(reverse(act, args=[session]), {"title": "Mine", "text": "hi"}).status_code == 404
    assert title_of(session) == "Alice's"


@pytest.mark.parametrize("part", ["session", "session_item", "session_menu", "session_rename"])
def test_somebody_elses_session_is_shown_to_nobody(client: Client, alice: User, mallory: User, part: str) -> None:
    session = create_session(alice, title="Alice's")
    client.force_login(mallory)

    page = client.get(reverse(part, args=[session]))

    assert page.status_code == 404
    assert "There is nothing here" in page.content.decode()


def test_a_row_shows_that_something_runs(reader: Client, alice: User) -> None:
    post_message(create_session(alice, title="Busy"), alice)

    assert "An answer is being written" in reader.get(reverse("sessions")).content.decode()


@pytest.mark.parametrize(
    "before", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-11-23T10:00+16:00", "2026-11-23T10:00"]
)
def test_a_moment_that_the_database_cannot_hold_is_read_as_by_the_api(reader: Client, alice: User, before: str) -> None:
    create_session(alice, title="Here")

    page = reader.get(reverse("sessions"), {"before": before})
    answer = ApiClient(alice).get_with_query("sessions", {"before": before})

    assert page.status_code == 200
    assert answer.status == (200 if "+16" in before else 422)
    assert ("Here" in page.content.decode()) == (answer.status == 422)
