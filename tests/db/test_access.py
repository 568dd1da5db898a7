"""A command's first answer comes before the right to give it, and the right is checked under the lock (P5, P12)."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.db import transaction
from django.db.models.functions import Now

from sessions_core.models import Participant, Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import NotFound, ReadOnly, Refusal
from sessions_core.protocol.ids import SessionId
from sessions_core.services import access, runs, sessions
from tests.db.acts import author, concurrently, kinds, new_client_id, post_message, somebody_waits
from tests.support.waiting import until

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


@CHANGES
def test_a_command_that_waited_for_the_lock_is_judged_by_what_is_true_then(
    session: SessionId, editor: Author, change: Change, refusal: type[Refusal]
) -> None:
    commands: list[Callable[[], object]] = [
        lambda: post_message(session, editor),
        lambda: sessions.configure(session, by=editor, policy="reject"),
    ]
    if change is not _archive:  # an archived Session may be renamed
        commands.append(lambda: sessions.rename(session, by=editor, title="Mine"))

    is_locked = threading.Event()

    def change_slowly() -> None:
        with transaction.atomic():
            Session.objects.select_for_update().get(pk=session)
            is_locked.set()
            until(lambda: somebody_waits(count=len(commands)))
            change(session, editor)

    def give(command: Callable[[], object]) -> Callable[[], str]:
        def run() -> str:
            is_locked.wait()
            with pytest.raises(refusal):
                command()
            return "refused"

        return run

    outcomes = concurrently(change_slowly, *map(give, commands))

    assert outcomes[1:] == ["refused"] * len(commands)
    assert not {"message.posted", "session.renamed", "session.configured"} & set(kinds(session))


def test_what_goes_on_in_an_archived_session_can_be_stopped(session: SessionId, owner: Author) -> None:
    run = post_message(session, owner).run
    sessions.archive(session, by=owner)

    assert runs.cancel(session, by=owner, client_id=new_client_id()).runs == (run,)


def test_a_stranger_waits_for_no_lock(session: SessionId, mallory: "User") -> None:
    stranger = author(mallory)
    with transaction.atomic():
        Session.objects.select_for_update().get(pk=session)
        outcomes = concurrently(
            lambda: post_message(session, stranger),
            lambda: runs.cancel(session, by=stranger, client_id=new_client_id()),
            lambda: sessions.rename(session, by=stranger, title="Mine"),
        )
    assert [type(outcome) for outcome in outcomes] == [NotFound] * 3


def test_a_right_is_checked_without_a_lock_for_what_only_reads(session: SessionId, editor: Author) -> None:
    assert access.require(session, user=editor.user, right=access.Right.WRITE).role == "editor"
    with pytest.raises(Refusal):
        access.require(session, user=editor.user, right=access.Right.OWN)
