"""Deletion: a Session is gone at once for everybody, and its rows go later, in pieces that any worker can remove."""

import itertools
import threading
from typing import TYPE_CHECKING

import pytest
from django.db import transaction

from sessions_core import log
from sessions_core.models import Event, Participant, Run, Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import Fenced, Forbidden, NotFound
from sessions_core.protocol.events import RunCompleted, RunProgressed
from sessions_core.protocol.ids import SessionId
from sessions_core.services import access, deletion, runs, sessions
from sessions_core.services.access import Right
from tests.db.acts import author, concurrently, new_client_id, post_and_claim, post_message, somebody_waits
from tests.support.waiting import until

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def remove_all() -> None:
    while deletion.remove_piece():
        pass


def is_anything_left() -> bool:
    return any(model.objects.exists() for model in (Session, Event, Run, Participant))


def test_only_the_owner_deletes_and_nothing_is_left(session: SessionId, owner: Author, bob: "User") -> None:
    Participant.objects.create(session_id=session, user=bob, role="editor")
    post_message(session, owner)
    with pytest.raises(Forbidden):
        deletion.delete(session, by=author(bob))

    deletion.delete(session, by=owner)
    remove_all()

    assert not is_anything_left()


def test_a_deleted_session_is_gone_for_everybody_before_its_log_is(session: SessionId, owner: Author) -> None:
    deletion.delete(session, by=owner)

    assert Event.objects.exists()
    assert not sessions.listing(user=owner.user)
    assert not log.heads([session])
    with pytest.raises(NotFound):
        sessions.get(session, user=owner.user)
    with pytest.raises(NotFound):
        deletion.delete(session, by=owner)
    with pytest.raises(NotFound), transaction.atomic():
        access.begin(session, by=owner, right=Right.WRITE)


def test_a_worker_that_still_writes_is_fenced_out(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)

    deletion.delete(session, by=owner)

    assert runs.heartbeat([claim]).lost == {claim.run}
    with pytest.raises(Fenced):
        log.append_as(claim, [RunProgressed(label="still here")])


def test_no_transaction_removes_more_than_a_piece(session: SessionId, owner: Author) -> None:
    for _ in range(3):
        runs.finish(post_and_claim(session, owner), RunCompleted())
    deletion.delete(session, by=owner)
    left = [Event.objects.count() + Run.objects.count()]

    while deletion.remove_piece(rows=2):
        left.append(Event.objects.count() + Run.objects.count())

    assert max(before - after for before, after in itertools.pairwise(left)) == 2
    assert not is_anything_left()


def test_a_run_goes_before_the_one_that_started_it(session: SessionId, owner: Author) -> None:
    parent = Run.objects.get(pk=post_message(session, owner).run)
    Run.objects.create(session_id=session, agent="script", asked_seq=parent.asked_seq + 1, parent=parent)
    Run.objects.update(state="cancelled", ended_at=parent.requested_at)
    deletion.delete(session, by=owner)

    while deletion.remove_piece(rows=1):
        pass

    assert not is_anything_left()


def test_two_workers_remove_two_sessions(session: SessionId, owner: Author) -> None:
    other = sessions.create(by=owner)
    for deleted in (session, other):
        deletion.delete(deleted, by=owner)
    with transaction.atomic():
        Session.objects.select_for_update().get(pk=session)

        assert concurrently(remove_all) == [None]
        assert [row.pk for row in Session.objects.all()] == [session]


def test_what_is_posted_while_a_session_is_deleted_goes_with_it(session: SessionId, owner: Author) -> None:
    posted = threading.Event()

    def post_slowly() -> None:
        with transaction.atomic():
            access.begin(session, by=owner, right=Right.WRITE)
            runs.request(session, [], by=owner, agent="script", replies_to=None, client_id=new_client_id())
            posted.set()
            until(somebody_waits)

    def delete() -> None:
        posted.wait(10)
        deletion.delete(session, by=owner)

    assert concurrently(post_slowly, delete) == [None, None]
    remove_all()
    assert not is_anything_left()
