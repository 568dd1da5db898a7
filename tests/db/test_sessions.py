"""Sessions: made once, listed for those who take part, changed by those who may."""

from functools import partial
from typing import TYPE_CHECKING

import pytest
from pytest_django import DjangoAssertNumQueries

from sessions_core.models import Event, Participant
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import BadField, NotFound, ReadOnly
from sessions_core.protocol.ids import SessionId, UserId, new_session
from sessions_core.services import access, deletion, sessions
from tests.db.acts import author, concurrently, kinds, new_client_id, post_message

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_new_session_begins_its_log(session: SessionId) -> None:
    assert kinds(session) == ["session.created", "participant.joined"]


def test_one_command_makes_one_session(owner: Author) -> None:
    once = new_client_id()

    made = concurrently(*[partial(sessions.create, by=owner, client_id=once) for _ in range(4)])

    assert len(set(made)) == 1
    assert Event.objects.count() == 2


def test_the_list_has_mine_only_newest_activity_first(owner: Author, mallory: "User") -> None:
    first, second = sessions.create(by=owner, title="one"), sessions.create(by=owner, title="two")
    sessions.create(by=author(mallory), title="hers")
    post_message(first, owner)

    listed = sessions.listing(user=owner.user)

    assert [item.id for item in listed] == [first, second]
    assert [item.running for item in listed] == [True, False]
    assert [item.id for item in sessions.listing(user=owner.user, before=listed[0].active_at)] == [second]
    assert [item.id for item in sessions.listing(user=owner.user, search="ON")] == [first]


def test_a_list_costs_the_same_however_long_it_is(
    owner: Author, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(5):
        sessions.create(by=owner, title=str(n))

    with django_assert_num_queries(1):
        assert len(sessions.listing(user=owner.user)) == 5


def test_renaming_is_a_line_in_the_log(session: SessionId, owner: Author) -> None:
    sessions.rename(session, by=owner, title="  A  new name ")

    assert kinds(session)[-1] == "session.renamed"
    assert sessions.get(session, user=owner.user).title == "A new name"
    with pytest.raises(BadField):
        sessions.rename(session, by=owner, title=" ")


def test_an_archived_session_is_read_only_until_restored(session: SessionId, owner: Author) -> None:
    sessions.archive(session, by=owner)
    with pytest.raises(ReadOnly):
        sessions.configure(session, by=owner, policy="reject")

    sessions.restore(session, by=owner)
    sessions.configure(session, by=owner, policy="reject")

    assert kinds(session)[-3:] == ["session.archived", "session.restored", "session.configured"]


def test_absent_and_not_yours_are_one_answer(session: SessionId, owner: Author, mallory: "User") -> None:
    with pytest.raises(NotFound) as not_yours:
        sessions.rename(session, by=author(mallory), title="mine now")
    deletion.delete(session, by=owner)
    with pytest.raises(NotFound) as absent:
        sessions.rename(session, by=author(mallory), title="mine now")

    assert str(not_yours.value) == str(absent.value)


def test_a_read_mark_only_moves_forward_and_not_above_the_head(session: SessionId, owner: Author) -> None:
    post_message(session, owner)
    head = sessions.get(session, user=owner.user).head

    sessions.mark_read(session, user=owner.user, seq=10_000)
    sessions.mark_read(session, user=owner.user, seq=1)

    assert sessions.get(session, user=owner.user).read_seq == head


def test_memberships_that_have_ended_are_found_in_one_query(session: SessionId, owner: Author, mallory: "User") -> None:
    mine, hers = (session, owner.user), (session, UserId(mallory.pk))
    of_a_deleted_session = (new_session(), owner.user)

    assert access.ended({mine, hers, of_a_deleted_session}) == {hers, of_a_deleted_session}
    assert access.ended(set()) == set()


def test_what_one_did_oneself_is_not_unread(session: SessionId, owner: Author, bob: "User") -> None:
    Participant.objects.create(session_id=session, user=bob, role="editor", read_seq=2)
    sessions.rename(session, by=owner, title="New")
    assert not sessions.get(session, user=owner.user).unread
    assert sessions.get(session, user=UserId(bob.pk)).unread

    post_message(session, author(bob))
    sessions.rename(session, by=owner, title="Newer")

    assert sessions.get(session, user=owner.user).unread
