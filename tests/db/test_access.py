"""A command's first answer comes before the right to give it (P5, P12)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.db.models.functions import Now

from sessions_core.models import Participant, Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import NotFound, ReadOnly, Refusal
from sessions_core.protocol.ids import SessionId
from sessions_core.services import access, runs, sessions
from tests.db.acts import author, kinds, new_client_id, post_message

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)

Change = Callable[[SessionId, Author], object]


def _archive(session: SessionId, _: Author) -> None:
    Session.objects.filter(pk=session).update(archived_at=Now())


def _make_viewer(session: SessionId, user: Author) -> None:
    Participant.objects.filter(session_id=session, user_id=user.user).update(role="viewer")


def _remove(session: SessionId, user: Author) -> None:
    Participant.objects.filter(session_id=session, user_id=user.user).delete()


CHANGES = pytest.mark.parametrize(
    ("change", "refusal"), [(_archive, ReadOnly), (_make_viewer, ReadOnly), (_remove, NotFound)]
)


@pytest.fixture
def editor(session: SessionId, bob: "User") -> Author:
    Participant.objects.create(session_id=session, user=bob, role="editor")
    return author(bob)


@CHANGES
def test_a_repeated_command_has_its_first_answer_whatever_became_of_the_right(
    session: SessionId, editor: Author, change: Change, refusal: type[Refusal]
) -> None:
    post, stop = new_client_id(), new_client_id()
    posted = post_message(session, editor, client_id=post)
    stopped = runs.cancel(session, by=editor, client_id=stop)
    retry = new_client_id()
    retried = runs.retry(session, by=editor, client_id=retry, run_id=posted.run)
    change(session, editor)

    again = post_message(session, editor, client_id=post)
    assert (again.seq, again.message, again.run, again.repeated) == (posted.seq, posted.message, posted.run, True)
    assert runs.cancel(session, by=editor, client_id=stop).seq == stopped.seq
    assert runs.retry(session, by=editor, client_id=retry, run_id=posted.run).run == retried.run
    with pytest.raises(refusal):
        post_message(session, editor)


def test_the_id_of_somebody_elses_command_is_not_found(session: SessionId, owner: Author, editor: Author) -> None:
    client_id = new_client_id()
    post_message(session, owner, client_id=client_id)

    with pytest.raises(NotFound):
        post_message(session, editor, client_id=client_id)
    assert kinds(session).count("message.posted") == 1


def test_what_goes_on_in_an_archived_session_can_be_stopped(session: SessionId, owner: Author) -> None:
    run = post_message(session, owner).run
    sessions.archive(session, by=owner)

    assert runs.cancel(session, by=owner, client_id=new_client_id()).runs == (run,)


def test_a_right_is_checked_without_a_lock_for_what_only_reads(session: SessionId, editor: Author) -> None:
    assert access.require(session, user=editor.user, right=access.Right.WRITE).role == "editor"
    with pytest.raises(Refusal):
        access.require(session, user=editor.user, right=access.Right.OWN)
