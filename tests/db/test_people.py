"""A user who takes part in Sessions can be deleted: the Sessions of others stay whole, and theirs are passed on."""

import pytest
from django.contrib.auth.models import User

from sessions_core.models import Participant, Run, Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.ids import SessionId
from sessions_core.services import people
from tests.db.acts import author, facts, kinds, post_message

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


def test_a_session_of_somebody_else_stays_theirs(session: SessionId, owner: Author, bob: User) -> None:
    Participant.objects.create(session_id=session, user=bob, role="editor")

    people.delete_user(author(bob).user)

    assert list(roles(session).values()) == ["owner"]
    assert kinds(session)[-1] == "participant.left"
