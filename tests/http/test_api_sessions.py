from uuid import uuid4

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions_core.models import Participant, Session
from sessions_core.services import access, sessions
from tests.http.clients import ApiClient, create_session, post_message, with_participant

FIELDS = {
    *("id", "title", "agent", "policy", "role", "epoch", "head"),
    *("read_seq", "created_at", "active_at", "archived_at", "running"),
}


def test_a_session_is_made_and_read_back(alice: User) -> None:
    script = ApiClient(alice)

    created = script.post("sessions", {"title": "Trip", "agent": "script", "policy": "reject"})

    assert created.status == 201
    assert set(created.body) == FIELDS
    assert (created.body["title"], created.body["agent"], created.body["policy"]) == ("Trip", "script", "reject")
    assert (created.body["role"], created.body["epoch"], created.body["running"]) == ("owner", 1, False)
    assert created.body["created_at"].endswith("Z")
    assert script.get(f"sessions/{created.body['id']}").body == created.body


def test_a_session_needs_no_wishes(alice: User) -> None:
    created = ApiClient(alice).post("sessions", {})

    assert (created.status, created.body["agent"], created.body["policy"], created.body["title"]) == (
        201,
        "guide",
        "queue",
        "",
    )


def test_a_repeated_creation_makes_one_session(alice: User) -> None:
    script, key = ApiClient(alice), uuid4()

    first = script.post("sessions", {"title": "Once"}, key=key)
    again = script.post("sessions", {"title": "Once"}, key=key)

    assert first.body == again.body
    assert Session.objects.count() == 1


def test_two_people_may_use_the_same_key(alice: User, mallory: User) -> None:
    key = uuid4()

    first = ApiClient(alice).post("sessions", {}, key=key)
    second = ApiClient(mallory).post("sessions", {}, key=key)

    assert first.body["id"] != second.body["id"]


def test_the_list_has_the_newest_activity_first(alice: User) -> None:
    old, new = create_session(alice, title="old"), create_session(alice, title="new")
    post_message(old, alice)

    listed = ApiClient(alice).get("sessions").body

    assert [row["id"] for row in listed["sessions"]] == [str(old), str(new)]
    assert [row["running"] for row in listed["sessions"]] == [True, False]
    assert listed["next"] is None


def test_the_list_is_paged_without_gap_or_double(alice: User) -> None:
    created = [str(create_session(alice)) for _ in range(5)]
    script = ApiClient(alice)

    seen, cursor = [], ""
    while cursor is not None:
        page = script.get(f"sessions?limit=2&before={cursor}" if cursor else "sessions?limit=2").body
        seen += [row["id"] for row in page["sessions"]]
        cursor = page["next"]

    assert seen == created[::-1]


def test_sessions_of_one_millisecond_are_neither_skipped_nor_shown_twice(alice: User) -> None:
    created = {str(create_session(alice)) for _ in range(5)}
    Session.objects.update(active_at=Session.objects.latest("active_at").active_at)
    script = ApiClient(alice)

    seen, cursor = [], ""
    while cursor is not None:
        page = script.get(f"sessions?limit=2&before={cursor}").body
        seen += [row["id"] for row in page["sessions"]]
        cursor = page["next"]

    assert sorted(seen) == sorted(created)


def test_the_list_is_searched_by_title(alice: User) -> None:
    create_session(alice, title="Plans for 100%")
    create_session(alice, title="Other")

    assert [row["title"] for row in ApiClient(alice).get("sessions?search=100%25").body["sessions"]] == [
        "Plans for 100%"
    ]
    assert ApiClient(alice).get("sessions?search=_").body["sessions"] == []


def test_the_list_holds_only_what_one_takes_part_in(alice: User, bob: User, mallory: User) -> None:
    with_participant(create_session(alice, title="shared"), bob, "viewer")

    assert [row["role"] for row in ApiClient(bob).get("sessions").body["sessions"]] == ["viewer"]
    assert ApiClient(mallory).get("sessions").body == {"sessions": [], "next": None}


def test_the_list_costs_the_same_however_long_it_is(alice: User) -> None:
    script = ApiClient(alice)
    post_message(create_session(alice), alice)
    script.get("sessions")
    with CaptureQueriesContext(connection) as few:
        script.get("sessions")

    for _ in range(10):
        post_message(create_session(alice), alice)

    with CaptureQueriesContext(connection) as many:
        script.get("sessions")
    assert len(many) == len(few)


def test_a_change_touches_only_what_it_names(alice: User) -> None:
    session = create_session(alice, title="Old", agent="script")
    script = ApiClient(alice)

    changed = script.patch(f"sessions/{session}", {"title": "New"})
    configured = script.patch(f"sessions/{session}", {"policy": "reject"})

    assert (changed.status, changed.body["title"], changed.body["agent"]) == (200, "New", "script")
    assert (configured.body["title"], configured.body["policy"]) == ("New", "reject")


def test_all_at_once_restores_first_and_archives_last(alice: User) -> None:
    session = create_session(alice)
    script = ApiClient(alice)

    archived = script.patch(f"sessions/{session}", {"title": "Done", "agent": "script", "archived": True})
    restored = script.patch(f"sessions/{session}", {"agent": "guide", "archived": False})

    assert archived.body["archived_at"] is not None
    assert archived.body["title"] == "Done"
    assert (restored.body["archived_at"], restored.body["agent"]) == (None, "guide")


def test_archiving_twice_is_one_event(alice: User) -> None:
    session = create_session(alice)
    script = ApiClient(alice)

    first = script.patch(f"sessions/{session}", {"archived": True})
    again = script.patch(f"sessions/{session}", {"archived": True})

    assert first.body["head"] == again.body["head"]


def test_an_empty_change_changes_nothing(alice: User) -> None:
    session = create_session(alice)
    before = ApiClient(alice).get(f"sessions/{session}").body

    assert ApiClient(alice).patch(f"sessions/{session}", {}).body == before


def test_an_archived_session_can_be_read_but_not_written(alice: User) -> None:
    session = create_session(alice)
    sessions.archive(session, by=access.author(alice))
    script = ApiClient(alice)

    refused = script.post(f"sessions/{session}/messages", {"text": "hello"})

    assert (refused.status, refused.code) == (403, "read_only")
    assert script.get(f"sessions/{session}/events").status == 200


def test_a_viewer_changes_nothing(alice: User, bob: User) -> None:
    session = with_participant(create_session(alice, title="Kept"), bob, "viewer")

    refused = ApiClient(bob).patch(f"sessions/{session}", {"title": "Bob's"})

    assert (refused.status, refused.code) == (403, "read_only")
    assert Session.objects.get().title == "Kept"


def test_the_owner_deletes(alice: User) -> None:
    session = create_session(alice)
    script = ApiClient(alice)

    gone = script.delete(f"sessions/{session}")

    assert (gone.status, gone.content) == (204, b"")
    assert script.get(f"sessions/{session}").status == 404
    assert script.delete(f"sessions/{session}").status == 404


def test_an_editor_does_not_delete(alice: User, bob: User) -> None:
    session = with_participant(create_session(alice), bob)

    refused = ApiClient(bob).delete(f"sessions/{session}")

    assert (refused.status, refused.code) == (403, "forbidden")
    assert Session.objects.filter(pk=session).exists()


def test_who_was_removed_finds_nothing_any_more(alice: User, bob: User) -> None:
    session = with_participant(create_session(alice), bob)
    script = ApiClient(bob)
    assert script.post(f"sessions/{session}/messages", {"text": "hello"}).status == 201

    Participant.objects.filter(user=bob).delete()

    assert script.get(f"sessions/{session}").status == 404
    assert script.post(f"sessions/{session}/messages", {"text": "hello"}).status == 404
