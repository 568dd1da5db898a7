"""A user who takes part in Sessions can be deleted: the Sessions of others stay whole, and theirs are passed on."""

import threading

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from sessions_core.models import Participant, Run, Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.ids import SessionId
from sessions_core.services import people
from tests.db.acts import author, concurrently, facts, kinds, post_message, somebody_waits
from tests.support.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def roles(session: SessionId) -> dict[str, str]:
    rows = Participant.objects.filter(session_id=session).values_list("user__username", "role")
    return dict(rows)


def test_a_session_that_only_the_user_took_part_in_goes_with_them(session: SessionId, owner: Author) -> None:
    post_message(session, owner)

    people.delete_user(owner.user)

    assert not User.objects.filter(pk=owner.user).exists()
    assert Session.objects.filter(pk=session, deleted_at__isnull=False).exists()


def test_a_session_with_others_passes_to_an_editor_and_keeps_what_was_said(
    session: SessionId, owner: Author, bob: User, mallory: User
) -> None:
    Participant.objects.create(session_id=session, user=mallory, role="viewer")
    Participant.objects.create(session_id=session, user=bob, role="editor")
    post_message(session, owner, "the plan")

    people.delete_user(owner.user)

    assert roles(session) == {bob.username: "owner", mallory.username: "viewer"}
    assert kinds(session)[-2:] == ["participant.left", "participant.role_changed"]
    assert "the plan" in str(facts(session))
    assert Run.objects.get().requested_by is None


def test_a_session_is_not_lost_to_a_participant_who_is_switched_off(
    session: SessionId, owner: Author, bob: User
) -> None:
    Participant.objects.create(session_id=session, user=bob, role="viewer")
    User.objects.filter(pk=bob.pk).update(is_active=False)

    people.delete_user(owner.user)

    assert roles(session) == {bob.username: "owner"}


def test_a_session_that_the_user_begins_meanwhile_goes_with_them(session: SessionId, owner: Author) -> None:
    begun = Session.objects.create(agent="script")
    is_locked = threading.Event()

    def begin_while_one_is_deleted() -> None:
        with transaction.atomic():
            Session.objects.select_for_update().get(pk=session)
            is_locked.set()
            until(somebody_waits)
            Participant.objects.create(session=begun, user_id=owner.user, role="owner")

    def delete() -> None:
        is_locked.wait()
        people.delete_user(owner.user)

    assert concurrently(begin_while_one_is_deleted, delete) == [None, None]
    assert set(Session.objects.filter(deleted_at__isnull=False)) == {begun, Session.objects.get(pk=session)}


def test_a_session_of_somebody_else_stays_theirs(session: SessionId, owner: Author, bob: User) -> None:
    Participant.objects.create(session_id=session, user=bob, role="editor")

    people.delete_user(author(bob).user)

    assert list(roles(session).values()) == ["owner"]
    assert kinds(session)[-1] == "participant.left"
