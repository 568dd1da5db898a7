"""While a Run waits for people, a time or a signal, no worker holds it; afterwards its agent goes on where it was."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from msgspec import Struct

from agents.sdk import AgentFailed, AgentRun, Declined
from sessions_core import bridge
from sessions_core.models import Ask, Run, Signal
from sessions_core.protocol import clock
from sessions_core.protocol.events import (
    AskClosed,
    AskOpened,
    MessageCompleted,
    Part,
    RunCompleted,
    RunFailed,
    RunRestarted,
    RunResumed,
    RunSteered,
    RunWaiting,
    StepCompleted,
)
from sessions_core.protocol.ids import ClientId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import asks, messages, signals
from tests.agents.facts import among, completed, said, text
from tests.agents.harness import LONG_AGO, Harness, move_clock
from tests.db.acts import new_client_id
from tests.support.scripts import script
from tests.support.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


class Plan(Struct):
    delete: list[int]


class Place(Struct):
    city: str


async def has_said(harness: Harness, words: str) -> bool:
    return words in await bridge.run(said, harness.session)


async def test_an_answer_comes_in_the_type_of_its_form(harness: Harness) -> None:
    plans: list[object] = []

    async def ask(run: AgentRun) -> None:
        plans.append(await run.ask(Plan, "Delete these?", default={"delete": [1]}))

    log = await harness.ask(ask)

    opened = among(log, AskOpened)[0]
    assert (opened.title, opened.ask_kind, opened.default) == ("Delete these?", "form", {"delete": [1]})
    assert log[-1] == RunWaiting(on="ask", ask=opened.ask)
    row = await harness.row()
    assert (row.state, row.lease_until, harness.runner.running) == (RunState.WAITING, None, ())

    await harness.answer_ask({"delete": [1, 2]})
    log = await harness.go_on()

    assert plans == [Plan([1, 2])]
    assert [fact.ask for fact in among(log, RunResumed)] == [opened.ask]
    assert isinstance(log[-1], RunCompleted)
    assert (await harness.row()).attempt == 1
    assert not among(log, RunRestarted)


async def test_an_open_message_goes_on_where_its_text_ends(harness: Harness) -> None:
    async def ask(run: AgentRun) -> None:
        async with run.message() as message:
            await message.reason("Hm.")
            await message.append("Shall I? ")
            choice = await run.ask(["yes", "no"], "Shall I?")
            await message.append(f"You said {choice}.")

    await harness.ask(ask)
    await harness.answer_ask("no")
    log = await harness.go_on()

    assert text(await bridge.run(completed, harness.session)) == "Shall I? You said no."
    assert len(among(log, MessageCompleted)) == 1
    assert not among(log, RunRestarted)


async def test_a_message_that_says_something_else_takes_the_place_of_the_kept_one(harness: Harness) -> None:
    async def ask(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append(f"{uuid4()} ")
            await run.ask(["yes"], "Shall I?")
            await message.append("Done.")

    await harness.ask(ask)
    await harness.answer_ask("yes")
    log = await harness.go_on()

    voided = among(log, RunRestarted)[0]
    whole = await bridge.run(completed, harness.session)
    assert (voided.attempt, len(voided.voided)) == (1, 1)
    assert whole.message not in voided.voided
    assert text(whole).endswith(" Done.")


async def test_what_was_done_before_the_wait_is_not_done_again(harness: Harness) -> None:
    done: list[str] = []

    async def work(name: str) -> str:
        done.append(name)
        return name

    async def ask(run: AgentRun) -> None:
        await run.step("first", work, "first")
        async with run.message() as message:
            await message.append("one")
        await run.ask(["yes"], "Shall I?")
        await run.step("second", work, "second")
        async with run.message() as message:
            await message.append("two")

    await harness.ask(ask)
    await harness.answer_ask("yes")
    log = await harness.go_on()

    assert done == ["first", "second"]
    assert [fact.key for fact in among(log, StepCompleted)] == ["first", "second"]
    assert [text(fact) for fact in among(log, MessageCompleted)] == ["one", "two"]


async def test_several_questions_at_once_are_waited_for_together(harness: Harness) -> None:
    said: list[list[str]] = []

    async def ask(run: AgentRun) -> None:
        said.append(await run.gather(run.ask(["a", "b"], f"Question {n}") for n in range(3)))

    log = await harness.ask(ask)
    # Each is opened by a thread of its own.
    opened = [fact.ask for fact in sorted(among(log, AskOpened), key=lambda opened: opened.title)]
    assert len(opened) == 3
    assert set(among(log, RunWaiting)[0].asks or ()) == set(opened)

    for each, value in zip(opened, "aab", strict=True):
        await harness.answer_ask(value, each)
        log = await harness.go_on()

    assert said == [["a", "a", "b"]]
    assert [set(fact.asks or (fact.ask,)) for fact in among(log, RunWaiting)[1:]] == [set(opened[1:]), set(opened[2:])]


async def test_a_run_that_waits_for_several_things_goes_on_with_each(harness: Harness) -> None:
    came: list[str] = []

    async def wait(run: AgentRun) -> None:
        async def note(name: str, wait: Awaitable[object]) -> None:
            await wait
            await run.step(f"note {name}", keep, name)

        async def keep(name: str) -> None:
            came.append(name)

        await run.gather(
            [
                note("answer", run.ask(["yes"], "Shall I?")),
                note("paid", run.wait_for("paid")),
                note("sent", run.wait_for("sent", expires="7d")),
                note("slept", run.sleep("1h")),
            ]
        )

    log = await harness.ask(wait)
    fact = among(log, RunWaiting)[0]
    assert (fact.on, fact.ask, set(fact.signals or ())) == ("ask", await harness.open_ask(), {"paid", "sent"})
    for come in (
        partial(harness.signal, "sent", 1),
        partial(harness.answer_ask, "yes"),
        partial(harness.signal, "paid", 1),
    ):
        await come()
        log = await harness.go_on()

    assert came == ["sent", "answer", "paid"]
    row = await harness.row()
    assert log[-1] == RunWaiting(on="sleep", until=fact.until)
    assert row.resume_at is not None
    assert clock.wire(row.resume_at) == fact.until


async def test_a_run_that_asks_too_much_fails_and_says_so(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asks, "OPEN_ASKS", 1)

    async def ask(run: AgentRun) -> None:
        await run.gather(run.ask(["yes"], f"Question {n}") for n in range(2))

    log = await harness.ask(ask)

    assert isinstance(log[-1], RunFailed)
    assert (log[-1].code, log[-1].message) == (
        "limit_reached",
        "1 questions of this answer are open, and no more may be.",
    )


async def test_who_declines_ends_the_question(harness: Harness) -> None:
    reasons: list[str] = []

    async def ask(run: AgentRun) -> None:
        try:
            await run.ask(["yes"], "Shall I?")
        except Declined as declined:
            reasons.append(declined.reason)

    await harness.ask(ask)
    ask_id = await harness.open_ask()
    await bridge.run(asks.decline, harness.session, ask_id, by=harness.owner, client_id=new_client_id())
    await harness.go_on()

    assert reasons == ["declined"]


async def test_a_question_that_nobody_answers_in_time_expires(harness: Harness) -> None:
    async def ask(run: AgentRun) -> None:
        await run.ask(["yes"], "Shall I?", expires="1h")

    await harness.ask(ask)
    await bridge.run(lambda: Ask.objects.update(expires_at="2020-01-01T00:00:00Z"))
    await bridge.run(asks.expire)
    log = await harness.go_on()

    assert [fact.reason for fact in among(log, AskClosed)] == ["expired"]
    assert isinstance(log[-1], RunFailed)
    assert (log[-1].code, log[-1].message) == ("declined", "Nobody answered the question in time.")


async def test_stop_ends_a_run_that_waits_and_its_question(harness: Harness) -> None:
    async def ask(run: AgentRun) -> None:
        await run.ask(["yes"], "Shall I?")

    await harness.ask(ask)
    await harness.stop()

    assert (await harness.row()).state == RunState.CANCELLED
    assert [each.end for each in await bridge.run(lambda: list(Ask.objects.all()))] == ["run_ended"]


async def test_a_long_sleep_holds_no_worker(harness: Harness) -> None:
    async def sleep(run: AgentRun) -> None:
        await run.sleep("1h")

    log = await harness.ask(sleep)
    assert among(log, RunWaiting)[0].on == "sleep"
    assert (await harness.row()).resume_at is not None

    await bridge.run(lambda: Run.objects.update(resume_at="2020-01-01T00:00:00Z"))
    log = await harness.go_on()  # woken too early: it sleeps on

    assert isinstance(log[-1], RunWaiting)


async def test_a_signal_is_waited_for_and_an_early_one_is_kept(harness: Harness) -> None:
    values: list[object] = []

    async def wait(run: AgentRun) -> None:
        values.extend([await run.wait_for("paid"), await run.wait_for("paid")])

    async def send(value: object, client_id: ClientId) -> None:
        await bridge.run(
            signals.send, harness.session, harness.run, "paid", by=harness.owner, client_id=client_id, value=value
        )

    await harness.request(wait)
    once = new_client_id()
    await send(1, once)
    await send(1, once)
    log = await harness.execute(harness.run)
    assert among(log, RunWaiting)[0].signal == "paid"

    await send(2, new_client_id())
    log = await harness.go_on()

    assert values == [1, 2]
    assert isinstance(log[-1], RunCompleted)


async def test_while_something_else_goes_on_the_run_waits_in_place(harness: Harness) -> None:
    said: list[str] = []
    begun = asyncio.Event()

    async def ask(run: AgentRun) -> None:
        async def answered() -> None:
            said.append(await run.ask(["yes"], "Shall I?"))

        other = asyncio.create_task(answered())  # the SDK does not know this task
        begun.set()
        await other

    task = await harness.start(ask, begun)
    await eventually(lambda: bridge.run(Ask.objects.exists))
    await harness.answer_ask("yes")
    log = await task

    assert said == ["yes"]
    assert not among(log, RunWaiting)


async def test_a_task_that_the_sdk_does_not_know_keeps_no_run_from_waiting_later(harness: Harness) -> None:
    async def ask(run: AgentRun) -> None:
        await asyncio.create_task(run.gather([run.now()]))
        await run.ask(["yes"], "Shall I?")

    log = await harness.ask(ask)

    assert isinstance(log[-1], RunWaiting)


async def test_a_write_after_the_wait_has_begun_is_refused(harness: Harness) -> None:
    async def ask(run: AgentRun) -> None:
        try:
            await run.ask(["yes"], "Shall I?")
        finally:
            async with run.message() as message:
                await message.append("too late")

    log = await harness.ask(ask)

    assert isinstance(log[-1], RunWaiting)


async def test_what_is_written_instead_of_an_answer_closes_the_question_and_steers(harness: Harness) -> None:
    said: list[object] = []

    async def ask(run: AgentRun) -> None:
        try:
            await run.ask(["yes"], "Shall I?")
        except Declined as declined:
            said.extend([declined.reason, declined.message, [steer.text for steer in await run.steers()]])

    await harness.ask(ask)
    posted = await bridge.run(
        messages.post,
        harness.session,
        by=harness.owner,
        client_id=new_client_id(),
        parts=[Part(type="text", text="Rather not.")],
    )
    log = await harness.go_on()

    assert (posted.outcome, posted.run) == ("steering", None)
    assert said == ["declined", "Rather not.", ["Rather not."]]
    assert [fact.consumed for fact in among(log, RunSteered)] == [True]


async def test_a_steer_stands_after_what_was_said_before(harness: Harness) -> None:
    begun = asyncio.Event()

    async def listen(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("before")
            begun.set()
            while not (steers := await run.steers()):  # noqa: ASYNC110  # as an agent does
                await asyncio.sleep(0)
            await message.append(f"after {steers[0].text}")

    task = await harness.start(listen, begun)
    await harness.steer("left")
    log = await task

    kinds = [fact.kind for fact in log if fact.kind in {"message.completed", "run.steered"}]
    assert kinds == ["message.completed", "run.steered", "message.completed"]
    assert [text(fact) for fact in among(log, MessageCompleted)] == ["before", "after left"]


async def test_a_step_a_question_a_sleep_and_a_signal_are_waited_for_side_by_side(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    results: list[object] = []
    done: list[int] = []

    async def work() -> str:
        done.append(1)
        return "done"

    async def agent(run: AgentRun) -> None:
        async def sleep() -> str:
            await run.sleep("1h")
            return "slept"

        waits = [run.step("work", work), run.ask(Place, "Where?"), sleep(), run.wait_for("paid")]
        results.extend(await run.gather(waits))

    log = await harness.ask(agent)
    assert [fact.on for fact in among(log, RunWaiting)] == ["ask"]  # people are told what they can end
    await harness.answer_ask({"city": "Bonn"})
    log = await harness.go_on()
    assert [fact.on for fact in among(log, RunWaiting)] == ["ask", "signal"]
    await harness.signal("paid", 7)
    log = await harness.go_on()
    assert [fact.on for fact in among(log, RunWaiting)] == ["ask", "signal", "sleep"]
    move_clock(monkeypatch, timedelta(hours=2))
    await bridge.run(lambda: Run.objects.update(resume_at=LONG_AGO))
    log = await harness.go_on()

    assert isinstance(log[-1], RunCompleted)
    assert (results, done) == (["done", Place("Bonn"), "slept", 7], [1])


async def test_a_signal_that_comes_too_late_does_not_undo_that_it_was_too_late(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    async def agent(run: AgentRun) -> None:
        try:
            await run.wait_for("paid", expires="1h")
            seen.append("paid")
        except Declined as declined:
            seen.append(declined.reason)
        await run.ask(["yes"], "Shall I?")

    await harness.ask(agent)
    await bridge.run(lambda: Run.objects.update(resume_at=LONG_AGO))
    move_clock(monkeypatch, timedelta(hours=2))
    assert isinstance((await harness.go_on())[-1], RunWaiting)
    await harness.signal("paid", 1)
    await harness.answer_ask("yes")
    await harness.go_on()

    assert seen == ["expired", "expired"]
    assert not await bridge.run(Signal.objects.exclude(consumed_by=None).exists)


async def test_a_question_that_could_not_be_asked_is_not_asked_later(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    async def agent(run: AgentRun) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(asks, "OPEN_ASKS", 1 if run.is_resumed else 0)
            try:
                await run.ask(["yes"], "One too many?")
            except AgentFailed as failed:
                seen.append(failed.code)
        await run.ask(["yes"], "Shall I?")

    await harness.ask(agent)
    await harness.answer_ask("yes")
    log = await harness.go_on()

    assert seen == ["limit_reached"] * 2
    assert [fact.title for fact in among(log, AskOpened)] == ["Shall I?"]


async def test_the_script_begins_no_message_with_a_space(harness: Harness) -> None:
    ask = {"after": 0, "title": "Go on?", "schema": {"type": "integer"}}
    await harness.post(script(words=2, every_ms=1, ask=ask, until_steered=True), agent="script")
    await harness.execute(harness.run)
    await harness.answer_ask(1)

    task = asyncio.create_task(harness.go_on())
    await eventually(lambda: has_said(harness, "w2"))
    await harness.steer("left")

    assert [text(fact) for fact in among(await task, MessageCompleted)] == ["answered 1 w1 w2", "steered left"]


async def test_the_script_asks_and_does_its_steps_once(harness: Harness) -> None:
    steps = [{"key": "a", "ms": 1}, {"key": "b", "ms": 1}]
    ask = {"after": 2, "title": "Go on?", "schema": {"type": "object"}}
    await harness.post(script(words=4, every_ms=1, steps=steps, ask=ask), agent="script")

    await harness.execute(harness.run)
    await harness.answer_ask({"b": 1, "a": 2})
    log = await harness.go_on()

    assert text(await bridge.run(completed, harness.session)) == 'w1 w2 answered {"a":2,"b":1} w3 w4'
    assert [fact.key for fact in among(log, StepCompleted)] == ["a", "b"]
