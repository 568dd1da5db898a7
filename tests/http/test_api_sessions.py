from uuid import uuid4

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions_core.models import Participant, Session
from sessions_core.services import sessions
from tests.http.callers import Script, author, begun, joined, said

SHAPE = {
    *("id", "title", "agent", "policy", "role", "epoch", "head"),
    *("read_seq", "created_at", "active_at", "archived_at", "running"),
}


def test_a_session_is_made_and_read_back(alice: User) -> None:
    script = Script(alice)

    made = script.post("sessions", {"title": "Trip", "agent": "script", "policy": "reject"})

    assert made.status == 201
    assert set(made.said) == SHAPE
    assert (made.said["title"], made.said["agent"], made.said["policy"]) == ("Trip", "script", "reject")
    assert (made.said["role"], made.said["epoch"], made.said["running"]) == ("owner", 1, False)
    assert made.said["created_at"].endswith("Z")
    assert script.get(f"sessions/{made.said['id']}").said == made.said


def test_a_session_needs_no_wishes(alice: User) -> None:
    made = Script(alice).post("sessions", {})

    assert (made.status, made.said["agent"], made.said["policy"], made.said["title"]) == (201, "guide", "queue", "")


def test_a_repeated_creation_makes_one_session(alice: User) -> None:
    script, key = Script(alice), uuid4()

    first = script.post("sessions", {"title": "Once"}, key=key)
    again = script.post("sessions", {"title": "Once"}, key=key)

    assert first.said == again.said
    assert Session.objects.count() == 1


def test_two_people_may_use_the_same_key(alice: User, mallory: User) -> None:
    key = uuid4()

    first = Script(alice).post("sessions", {}, key=key)
    second = Script(mallory).post("sessions", {}, key=key)

    assert first.said["id"] != second.said["id"]


def test_the_list_has_the_newest_activity_first(alice: User) -> None:
    old, new = begun(alice, title="old"), begun(alice, title="new")
    said(old, alice)

    listed = Script(alice).get("sessions").said

    assert [row["id"] for row in listed["sessions"]] == [str(old), str(new)]
    assert [row["running"] for row in listed["sessions"]] == [True, False]
    assert listed["next"] is None


def test_the_list_is_paged_without_gap_or_double(alice: User) -> None:
    made = [str(begun(alice)) for _ in range(5)]
    script = Script(alice)

    seen, cursor = [], ""
    while cursor is not None:
        page = script.get(f"sessions?limit=2&before={cursor}" if cursor else "sessions?limit=2").said
        seen += [row["id"] for row in page["sessions"]]
        cursor = page["next"]

    assert seen == made[::-1]


def test_sessions_of_one_millisecond_are_neither_skipped_nor_shown_twice(alice: User) -> None:
    made = {str(begun(alice)) for _ in range(5)}
    Session.objects.update(active_at=Session.objects.latest("active_at").active_at)
    script = Script(alice)

    seen, cursor = [], ""
    while cursor is not None:
        page = script.get(f"sessions?limit=2&before={cursor}").said
        seen += [row["id"] for row in page["sessions"]]
        cursor = page["next"]

    assert sorted(seen) == sorted(made)


def test_the_list_is_searched_by_title(alice: User) -> None:
    begun(alice, title="Plans for 100%")
    begun(alice, title="Other")

    assert [row["title"] for row in Script(alice).get("sessions?search=100%25").said["sessions"]] == ["Plans for 100%"]
    assert Script(alice).get("sessions?search=_").said["sessions"] == []


def test_the_list_holds_only_what_one_takes_part_in(alice: User, bob: User, mallory: User) -> None:
    joined(begun(alice, title="shared"), bob, "viewer")

    assert [row["role"] for row in Script(bob).get("sessions").said["sessions"]] == ["viewer"]
    assert Script(mallory).get("sessions").said == {"sessions": [], "next": None}


def test_the_list_costs_the_same_however_long_it_is(alice: User) -> None:
    script = Script(alice)
    said(begun(alice), alice)
    script.get("sessions")
    with CaptureQueriesContext(connection) as few:
        script.get("sessions")

    for _ in range(10):
        said(begun(alice), alice)

    with CaptureQueriesContext(connection) as many:
        script.get("sessions")
    assert len(many) == len(few)


def test_a_change_touches_only_what_it_names(alice: User) -> None:
    session = begun(alice, title="Old", agent="script")
    script = Script(alice)

    changed = script.patch(f"sessions/{session}", {"title": "New"})
    configured = script.patch(f"sessions/{session}", {"policy": "reject"})

    assert (changed.status, changed.said["title"], changed.said["agent"]) == (200, "New", "script")
    assert (configured.said["title"], configured.said["policy"]) == ("New", "reject")


def test_all_at_once_restores_first_and_archives_last(alice: User) -> None:
    session = begun(alice)
    script = Script(alice)

    archived = script.patch(f"sessions/{session}", {"title": "Done", "agent": "script", "archived": True})
    restored = script.patch(f"sessions/{session}", {"agent": "guide", "archived": False})

    assert archived.said["archived_at"] is not None
    assert archived.said["title"] == "Done"
    assert (restored.said["archived_at"], restored.said["agent"]) == (None, "guide")


def test_archiving_twice_is_one_event(alice: User) -> None:
    session = begun(alice)
    script = Script(alice)

    first = script.patch(f"sessions/{session}", {"archived": True})
    again = script.patch(f"sessions/{session}", {"archived": True})

    assert first.said["head"] == again.said["head"]


def test_an_empty_change_changes_nothing(alice: User) -> None:
    session = begun(alice)
    before = Script(alice).get(f"sessions/{session}").said

    assert Script(alice).patch(f"sessions/{session}", {}).said == before


def test_an_archived_session_can_be_read_but_not_written(alice: User) -> None:
    session = begun(alice)
    sessions.archive(session, by=author(alice))
    script = Script(alice)

    refused = script.post(f"sessions/{session}/messages", {"text": "hello"})

    assert (refused.status, refused.code) == (403, "read_only")
    assert script.get(f"sessions/{session}/events").status == 200


def test_a_viewer_changes_nothing(alice: User, bob: User) -> None:
    session = joined(begun(alice, title="Kept"), bob, "viewer")

    refused = Script(bob).patch(f"sessions/{session}", {"title": "Bob's"})

    assert (refused.status, refused.code) == (403, "read_only")
    assert Session.objects.get().title == "Kept"


def test_the_owner_deletes(alice: User) -> None:
    session = begun(alice)
    script = Script(alice)

    gone = script.delete(f"sessions/{session}")

    assert (gone.status, gone.content) == (204, b"")
    assert script.get(f"sessions/{session}").status == 404
    assert script.delete(f"sessions/{session}").status == 404


def test_an_editor_does_not_delete(alice: User, bob: User) -> None:
    session = joined(begun(alice), bob)

    refused = Script(bob).delete(f"sessions/{session}")

    assert (refused.status, refused.code) == (403, "forbidden")
    assert Session.objects.filter(pk=session).exists()


def test_who_was_removed_finds_nothing_any_more(alice: User, bob: User) -> None:
    session = joined(begun(alice), bob)
    script = Script(bob)
    assert script.post(f"sessions/{session}/messages", {"text": "hello"}).status == 201

    Participant.objects.filter(user=bob).delete()

    assert script.get(f"sessions/{session}").status == 404
    assert script.post(f"sessions/{session}/messages", {"text": "hello"}).status == 404
