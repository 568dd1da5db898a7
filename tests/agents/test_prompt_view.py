"""The prompt view: the conversation as a model is shown it. A fold, without a database."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from msgspec import Raw, structs

from agents.runner.prompt_view import fold
from sessions_core.protocol.events import (
    SYSTEM,
    Event,
    Fact,
    MessageCompleted,
    MessageDequeued,
    MessageOutcome,
    MessagePosted,
    MessageStarted,
    Part,
    RunRequested,
    RunRestarted,
    RunSteered,
    encode_fact,
)
from sessions_core.protocol.ids import BEGINNING, MessageId, RunId

Log = Sequence[tuple[RunId | None, Fact]]
BLANK = Event(seq=0, kind="", at="", actor=SYSTEM, run=None, data=Raw())


def message(n: int) -> MessageId:
    return MessageId(UUID(int=n))


def run(n: int) -> RunId:
    return RunId(UUID(int=1000 + n))


def asked(n: int, text: str = "", *, to: MessageId | None = None) -> Log:
    """Message n is posted, and Run n is to answer it. It follows what is newest, unless its parent is named."""
    posted = MessagePosted(
        message=message(n),
        parent=to,
        role="user",
        parts=(Part(type="text", text=text or f"question {n}"),),
        client_id=None,
        state="sent",
        device=None,
    )
    return [(None, posted), (run(n), RunRequested(run=run(n), agent="a", parent=None, replies_to=message(n)))]


def queued(n: int, *, edited: str = "") -> tuple[Log, Log]:
    """Message n is posted to the queue, and is sent, perhaps with another text."""
    [(_, posted), request] = asked(n)
    assert isinstance(posted, MessagePosted)
    parts = (Part(type="text", text=edited),) if edited else posted.parts
    sent = MessageDequeued(message=message(n), reason="sent", parent=None, parts=parts, agent="a")
    request = (run(n), RunRequested(run=run(n), agent="a", parent=None, replies_to=message(n), queued=True))
    return [(None, structs.replace(posted, state="queued")), request], [(run(n), sent)]


def steering(n: int, *, of: int, consumed: bool) -> tuple[Log, Log]:
    """Message n is given to the Run of message `of`, which takes it, or ends before."""
    [(_, posted), request] = asked(n)
    assert isinstance(posted, MessagePosted)
    steered = RunSteered(message=message(n), consumed=consumed)
    return [(None, structs.replace(posted, state="steering"))], [(run(of), steered), *([] if consumed else [request])]


def retried(n: int, of: int) -> Log:
    """Run n is to try the answer to message `of` again, which Run `of` was to give."""
    return [(run(n), RunRequested(run=run(n), agent="a", parent=None, replies_to=message(of), retry_of=run(of)))]


def anew(n: int, of: int) -> Log:
    """Run n is to give another answer to message `of`."""
    return [(run(n), RunRequested(run=run(n), agent="a", parent=None, replies_to=message(of)))]


def answered(n: int, *parts: Part, state: MessageOutcome = "complete", said: int = 0, to: int = 0) -> Log:
    """Run n says Message 100 + n in answer to message n, or `to`."""
    of = message(said or 100 + n)
    started = MessageStarted(message=of, parent=message(to or n), role="assistant", agent="a")
    whole = parts or (Part(type="text", text=f"answer {n}"),)
    return [(run(n), started), (run(n), MessageCompleted(message=of, parts=whole, state=state))]


def events(log: Log) -> Iterator[Event]:
    """Numbers the facts. What a person sends without a parent follows what is newest; at the BEGINNING it follows nothing."""
    newest: MessageId | None = None
    for seq, (run, fact) in enumerate(log, start=1):
        placed: Fact = fact
        match fact:
            case (
                MessagePosted(state="sent") | MessageDequeued(reason="sent") | RunSteered(consumed=False, queued=False)
            ):
                parent = None if fact.parent == BEGINNING else fact.parent or newest
                placed, newest = structs.replace(fact, parent=parent), fact.message
            case MessageStarted() | RunSteered(consumed=True):
                newest = fact.message
            case _:
                pass
        yield structs.replace(BLANK, seq=seq, kind=fact.kind, run=run, data=Raw(encode_fact(placed)))


def shown(*logs: Log, up_to: int | None = None) -> list[str]:
    view = fold(events([entry for log in logs for entry in log]), up_to=message(up_to) if up_to else None)
    return [f"{shown.role[0]}: {shown.text}" for exchange in view.exchanges for shown in exchange.shown]


def text(value: str) -> Part:
    return Part(type="text", text=value)


def test_the_message_to_answer_comes_last() -> None:
    log = [*asked(1), *answered(1), *asked(2)]

    assert shown(log, up_to=2) == ["u: question 1", "a: answer 1", "u: question 2"]


def test_an_answer_stands_after_its_message_also_when_others_were_posted_meanwhile() -> None:
    log = [*asked(1), *asked(2), *asked(3), *answered(1)]

    assert shown(log, up_to=2) == ["u: question 1", "a: answer 1", "u: question 2"]


def test_failed_and_interrupted_answers_are_left_out() -> None:
    log = [*asked(1), *answered(1, state="failed"), *asked(2), *answered(2, state="interrupted"), *asked(3)]

    assert shown(log, up_to=3) == ["u: question 1", "u: question 2", "u: question 3"]


def test_a_stopped_answer_is_kept_when_it_has_text() -> None:
    log = [*asked(1), *answered(1, text("half"), state="cancelled"), *asked(2)]

    assert shown(log, up_to=2) == ["u: question 1", "a: half", "u: question 2"]


def test_a_stopped_answer_without_text_is_left_out() -> None:
    only_thought = Part(type="reasoning", text="hm")

    assert shown(asked(1), answered(1, only_thought, state="cancelled"), asked(2), up_to=2)[1] == "u: question 2"


def test_what_is_still_being_written_is_left_out() -> None:
    log = [*asked(1), *answered(1)[:1], *asked(2)]

    assert shown(log, up_to=2) == ["u: question 1", "u: question 2"]


def test_what_a_restart_voided_is_left_out() -> None:
    restarted: Any = (run(1), RunRestarted(attempt=2, voided=(message(101),)))
    log = [*asked(1), *answered(1, text("first")), restarted, *answered(1, text("second"), said=102), *asked(2)]

    assert shown(log, up_to=2) == ["u: question 1", "a: second", "u: question 2"]


def test_of_two_answers_the_newer_one_counts() -> None:
    log = [*asked(1), *answered(1, text("half"), state="cancelled"), *retried(9, of=1), *answered(9, to=1), *asked(2)]

    assert shown(log, up_to=2) == ["u: question 1", "a: answer 9", "u: question 2"]


def test_a_failed_retry_leaves_the_older_answer() -> None:
    log = [*asked(1), *answered(1), *retried(9, of=1), *answered(9, state="failed", to=1), *asked(2)]

    assert shown(log, up_to=2) == ["u: question 1", "a: answer 1", "u: question 2"]


def test_an_answer_to_the_message_itself_is_not_shown_when_it_is_tried_again() -> None:
    log = [*asked(1), *answered(1, text("half"), state="cancelled"), *retried(9, of=1)]

    assert shown(log, up_to=1) == ["u: question 1"]


def test_reasoning_is_shown_to_no_model() -> None:
    log = [*asked(1), *answered(1, Part(type="reasoning", text="hm"), text("yes"))]

    assert shown(log) == ["u: question 1", "a: yes"]


def test_several_messages_of_one_run_are_all_shown() -> None:
    log = [*asked(1), *answered(1, text("one")), *answered(1, text("two"), said=102)]

    assert shown(log) == ["u: question 1", "a: one", "a: two"]


def test_the_beginning_stays_the_same_from_run_to_run() -> None:
    first = [*asked(1), *asked(2), *answered(1)]
    later = [*first, *answered(2), *asked(3)]

    assert shown(later, up_to=3)[: len(shown(first, up_to=2))] == shown(first, up_to=2)


def test_a_queued_message_stands_where_it_was_sent_with_the_text_that_it_had_then() -> None:
    typed, sent = queued(2, edited="edited")

    assert shown(asked(1), typed, answered(1), sent, up_to=2) == ["u: question 1", "a: answer 1", "u: edited"]
    assert shown(asked(1), typed) == ["u: question 1"]


def test_a_steer_stands_where_the_run_has_taken_it() -> None:
    typed, taken = steering(2, of=1, consumed=True)

    log = [asked(1), typed, answered(1), taken, answered(1, said=200), asked(3)]
    assert shown(*log, up_to=3) == ["u: question 1", "a: answer 1", "u: question 2", "a: answer 1", "u: question 3"]
    assert shown(asked(1), typed, up_to=1) == ["u: question 1"]


def test_a_steer_that_was_not_taken_is_the_next_message() -> None:
    typed, passed_on = steering(2, of=1, consumed=False)

    assert shown(asked(1), typed, answered(1), passed_on, up_to=2) == ["u: question 1", "a: answer 1", "u: question 2"]
