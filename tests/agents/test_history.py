"""What an agent is given of a conversation: read when it asks, bounded, and with a cut that it can see."""

import msgspec
import pytest
from pytest_django import Settings

from agents.runner import history
from agents.sdk.prompt_reader import Conversation
from sessions_core import log
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import MessageCompleted, MessagePosted, MessageStarted, Part, RunCompleted, RunFailed
from sessions_core.protocol.ids import MessageId, SessionId, new_message
from sessions_core.services import runs
from tests.db.acts import claim_run, new_client_id, post_message

pytestmark = pytest.mark.django_db(transaction=True)


def answer(claimed: Claim, text: str) -> MessageId:
    """Answers as an agent does that says one text."""
    message = new_message()
    started = MessageStarted(message=message, parent=claimed.replies_to, role="assistant", agent=claimed.agent)
    completed = MessageCompleted(message=message, parts=(Part(type="text", text=text),), state="complete")
    log.append_as(claimed, [started, completed])
    runs.finish(claimed, RunCompleted())
    return message


def talk(session: SessionId, owner: Author, exchanges: int, *, length: int = 0) -> None:
    for n in range(1, exchanges + 1):
        answer(claim_run(post_message(session, owner, f"q{n}").run), f"a{n}" + "x" * length)


def say(session: SessionId, by: Author, text: str, *, parent: MessageId | None = None, length: int = 0) -> MessageId:
    """Posts a message, and returns the answer to it."""
    return answer(claim_run(post_message(session, by, text, parent=parent).run), "a1" + "x" * length)


def texts(prompt: Conversation) -> list[str]:
    return [message.text.rstrip("x") for message in prompt.messages]


def test_a_short_conversation_is_whole(session: SessionId, owner: Author) -> None:
    talk(session, owner, 2)

    prompt = history.read_prompt(claim_run(post_message(session, owner, "now").run))

    assert (texts(prompt), prompt.has_earlier) == (["q1", "a1", "q2", "a2", "now"], False)


def test_a_long_one_is_cut_and_the_cut_is_before_a_question(
    session: SessionId, owner: Author, settings: Settings
) -> None:
    settings.PROMPT_MESSAGES = 4
    talk(session, owner, 4)

    prompt = history.read_prompt(claim_run(post_message(session, owner, "now").run))

    assert (texts(prompt), prompt.has_earlier) == (["q4", "a4", "now"], True)


def test_it_is_cut_by_bytes_as_well(session: SessionId, owner: Author, settings: Settings) -> None:
    settings.PROMPT_BYTES = 6_000
    talk(session, owner, 4, length=2_000)

    prompt = history.read_prompt(claim_run(post_message(session, owner, "now").run))

    assert (texts(prompt), prompt.has_earlier) == (["q3", "a3", "q4", "a4", "now"], True)


def test_an_agent_may_ask_for_less(session: SessionId, owner: Author) -> None:
    talk(session, owner, 4)

    prompt = history.read_prompt(claim_run(post_message(session, owner, "now").run), 1)

    assert (texts(prompt), prompt.has_earlier) == (["now"], True)


def test_what_was_answered_while_the_message_waited_is_there(session: SessionId, owner: Author) -> None:
    first, second = post_message(session, owner, "first").run, post_message(session, owner, "second").run
    post_message(session, owner, "third")
    answer(claim_run(first), "a1")

    assert texts(history.read_prompt(claim_run(second))) == ["first", "a1", "second"]


def test_an_answer_does_not_come_without_its_question(session: SessionId, owner: Author, settings: Settings) -> None:
    first, second = post_message(session, owner, "first").run, post_message(session, owner, "second").run
    third = post_message(session, owner, "third").run
    answer(claim_run(first), "a1")
    answer(claim_run(second), "a2")
    settings.PROMPT_MESSAGES = 2

    prompt = history.read_prompt(claim_run(third))

    assert (texts(prompt), prompt.has_earlier) == (["second", "a2", "third"], True)


def test_an_old_message_that_is_tried_again_comes_last(session: SessionId, owner: Author) -> None:
    talk(session, owner, 1)
    failed = post_message(session, owner, "old").run
    runs.finish(claim_run(failed), RunFailed(code="x", message="x", retry=True))
    talk(session, owner, 3)

    again = runs.retry(session, by=owner, client_id=new_client_id(), run_id=failed).run

    assert texts(history.read_prompt(claim_run(again))) == ["q1", "a1", "old"]


def test_the_cut_stays_where_it_is_for_many_runs(session: SessionId, owner: Author, settings: Settings) -> None:
    settings.PROMPT_MESSAGES = 32
    ids = [new_message() for _ in range(60)]
    facts = [
        MessagePosted(
            message=message,
            parent=parent,
            role="user",
            parts=(Part(type="text", text="hello"),),
            client_id=None,
            state="sent",
            device=None,
        )
        for message, parent in zip(ids, [None, *ids], strict=False)
    ]
    log.append(session, facts, actor=owner.actor)
    now = claim_run(post_message(session, owner).run)

    prompts = [history.read_prompt(msgspec.structs.replace(now, replies_to=fact.message)) for fact in facts[40:]]

    assert all(prompt.has_earlier and 24 <= len(prompt.messages) <= 32 for prompt in prompts)
    assert len({prompt.messages[0].message for prompt in prompts}) < len(prompts)


def test_an_edited_message_is_answered_without_what_came_after_it(session: SessionId, owner: Author) -> None:
    first = say(session, owner, "q1")
    say(session, owner, "q2")

    prompt = history.read_prompt(claim_run(post_message(session, owner, "q2, edited", parent=first).run))

    assert (texts(prompt), prompt.has_earlier) == (["q1", "a1", "q2, edited"], False)


def test_an_answer_anew_does_not_show_the_one_that_is_there(session: SessionId, owner: Author) -> None:
    said = say(session, owner, "q1")
    anew = claim_run(runs.regenerate(session, by=owner, client_id=new_client_id(), message=said).run)

    assert texts(history.read_prompt(anew)) == ["q1"]


def test_other_branches_take_no_room(session: SessionId, owner: Author, settings: Settings) -> None:
    settings.PROMPT_MESSAGES, settings.PROMPT_BYTES = 6, 8_000
    say(session, owner, "q1")
    said = say(session, owner, "q2")
    for _ in range(6):
        anew = claim_run(runs.regenerate(session, by=owner, client_id=new_client_id(), message=said).run)
        said = answer(anew, "a2" + "x" * 1_500)

    prompt = history.read_prompt(claim_run(post_message(session, owner, "q3").run))

    assert (texts(prompt), prompt.has_earlier) == (["q1", "a1", "q2", "a2", "q3"], False)


def test_the_messages_of_the_branch_are_counted(session: SessionId, owner: Author, settings: Settings) -> None:
    settings.PROMPT_MESSAGES = 3
    first = say(session, owner, "q1")
    second = say(session, owner, "q2", parent=first)
    for _ in range(2):
        say(session, owner, "other", parent=first)

    prompt = history.read_prompt(claim_run(post_message(session, owner, "q3", parent=second).run))

    assert (texts(prompt), prompt.has_earlier) == (["q2", "a1", "q3"], True)


@pytest.mark.parametrize(("length", "shown"), [(0, ["q2", "a1", "q3"]), (2_500, ["q3"])])
def test_the_bytes_of_the_branch_are_counted(
    session: SessionId, owner: Author, settings: Settings, length: int, shown: list[str]
) -> None:
    settings.PROMPT_BYTES = 5_000
    first = say(session, owner, "q1", length=2_000)
    second = say(session, owner, "q2", parent=first, length=2_000)
    for _ in range(2):
        say(session, owner, "other", parent=first, length=2_000)

    prompt = history.read_prompt(claim_run(post_message(session, owner, "q3" + "x" * length, parent=second).run))

    assert (texts(prompt), prompt.has_earlier) == (shown, True)


def test_a_branch_between_endless_others_is_cut(
    session: SessionId, owner: Author, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROMPT_MESSAGES = 2
    monkeypatch.setattr(history, "READS", 3)
    first = say(session, owner, "q1")
    for _ in range(9):
        say(session, owner, "other", parent=first)

    prompt = history.read_prompt(claim_run(post_message(session, owner, "q2", parent=first).run))

    assert (texts(prompt), prompt.has_earlier) == (["q2"], True)
