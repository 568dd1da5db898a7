"""P5: a post has one effect per client id; what cannot be kept is refused with a sentence, and nothing is half-written."""

from functools import partial
from typing import TYPE_CHECKING

import pytest

from sessions_core.models import Participant, Run, Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import BadField, NoSuchAgent, NotFound, ReadOnly, RunActive, TooLarge
from sessions_core.protocol.events import MessagePosted, SessionRenamed
from sessions_core.protocol.ids import SessionId, new_message
from sessions_core.services import runs, sessions
from tests.db.acts import Posted, author, concurrently, facts, kinds, new_client_id, post_message

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from sessions_core.protocol.errors import Refusal

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_post_is_kept_and_asks_for_a_run(session: SessionId, owner: Author) -> None:
    posted = post_message(session, owner, "Good morning")

    assert kinds(session)[2:] == ["message.posted", "session.renamed", "run.requested"]
    assert Run.objects.get(pk=posted.run).replies_to == posted.message


def test_the_same_post_from_many_devices_at_once_is_one(session: SessionId, owner: Author) -> None:
    once = new_client_id()

    answers = concurrently(*[partial(post_message, session, owner, client_id=once) for _ in range(6)])

    assert len({(answer.seq, answer.message, answer.run) for answer in answers if isinstance(answer, Posted)}) == 1
    assert [isinstance(answer, Posted) for answer in answers] == [True] * 6
    assert kinds(session).count("message.posted") == 1
    assert Run.objects.count() == 1


def test_a_repeated_post_is_told_its_own_run_when_another_was_asked_for_after_it(
    session: SessionId, owner: Author
) -> None:
    stopped, once = post_message(session, owner).run, new_client_id()
    runs.cancel(session, by=owner, client_id=new_client_id(), run_id=stopped)
    posted = post_message(session, owner, client_id=once)
    runs.retry(session, by=owner, client_id=new_client_id(), run_id=stopped)

    again = post_message(session, owner, client_id=once)

    assert (again.run, again.repeated) == (posted.run, True)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [("", BadField), (" \n", BadField), ("a\x00b", BadField), ("a\ud800", BadField), ("x" * 32_001, TooLarge)],
)
def test_what_cannot_be_kept_is_refused_whole(
    session: SessionId, owner: Author, text: str, refusal: "type[Refusal]"
) -> None:
    with pytest.raises(refusal):
        post_message(session, owner, text)

    assert Session.objects.get(pk=session).head == 2


def test_an_unknown_agent_is_refused_whole(session: SessionId, owner: Author) -> None:
    with pytest.raises(NoSuchAgent):
        post_message(session, owner, agent="nobody")

    assert not Run.objects.exists()


def test_an_unknown_parent_is_refused(session: SessionId, owner: Author) -> None:
    with pytest.raises(BadField):
        post_message(session, owner, parent=new_message())


def test_a_message_follows_the_one_before(session: SessionId, owner: Author) -> None:
    first = post_message(session, owner)
    post_message(session, owner)

    posts = [fact for fact in facts(session) if isinstance(fact, MessagePosted)]
    assert [post.parent for post in posts] == [None, first.message]


def test_policy_reject_refuses_while_an_answer_is_written(session: SessionId, owner: Author) -> None:
    posted = post_message(session, owner)
    with pytest.raises(RunActive):
        post_message(session, owner, policy="reject")

    runs.cancel(session, by=owner, client_id=new_client_id(), run_id=posted.run)

    assert post_message(session, owner, policy="reject").run != posted.run


def test_a_stranger_a_viewer_and_an_archive_cannot_be_posted_to(
    session: SessionId, owner: Author, bob: "User", mallory: "User"
) -> None:
    Participant.objects.create(session_id=session, user=bob, role="viewer")
    with pytest.raises(NotFound):
        post_message(session, author(mallory))
    with pytest.raises(ReadOnly):
        post_message(session, author(bob))

    sessions.archive(session, by=owner)

    with pytest.raises(ReadOnly):
        post_message(session, owner)


def test_a_session_is_named_after_the_first_words(session: SessionId, owner: Author) -> None:
    post_message(session, owner, "  What is\n a durable session, and why should anybody want one of them, please?")
    post_message(session, owner, "second")

    names = [fact.title for fact in facts(session) if isinstance(fact, SessionRenamed)]
    assert names == ["What is a durable session, and why should anybody want one…"]


def test_a_session_whose_agent_is_gone_is_answered_by_the_default(session: SessionId, owner: Author) -> None:
    Session.objects.update(agent="retired")

    posted = post_message(session, owner)

    assert Run.objects.get(pk=posted.run).agent == "script"
