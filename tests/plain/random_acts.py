"""Acts of random logs: the queue, steers, waiting, asks, tool calls and consents."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import UNSET

from sessions_core.protocol import events as facts
from sessions_core.protocol.events import SYSTEM, Actor
from sessions_core.protocol.ids import AskId

if TYPE_CHECKING:
    from tests.plain.random_log import RandomRun, Writer

FIRST: Final = 12  # the number of the first of these acts
ALICE: Final = Actor(kind="user", id="1", name="Alice")
BOB: Final = Actor(kind="user", id="2", name="Bob")


def close(writer: "Writer", run: "RandomRun") -> None:
    """Ends what is open in a Run that ends, as the rules say."""
    for message in run.steers:
        queued = len(writer.events) % 2 == 0
        parent = UNSET if queued else writer.parent()
        writer.append_of_run(run, facts.RunSteered(message=message, consumed=False, queued=queued, parent=parent))
        own = writer.request(message, queued=queued)
        if queued:
            writer.queued.append((message, own))
        else:
            writer.place(message)
            writer.runs.append(own)
    for ask in run.asks:
        writer.append_of_run(run, facts.AskClosed(ask=ask, reason="run_ended"), SYSTEM)
    for call in run.calls:
        writer.append_of_run(run, facts.ToolFailed(call=call, error="It ended.", unknown=True))


def _post_queued(writer: "Writer", _: int, text: str) -> None:
    message = writer.post(text, "queued", parent=writer.parent())
    writer.queued.append((message, writer.request(message, queued=True)))


def _send_queued(writer: "Writer", choice: int, text: str) -> None:
    if writer.queued:
        message, run = writer.queued.pop(0)
        parent = writer.parent(choice + 1)
        parts = (facts.Part("text", text),)
        sent = facts.MessageDequeued(message=message, reason="sent", parent=parent, parts=parts, agent="guide")
        writer.append_of_run(run, sent, ALICE)
        run.attempt = 1
        writer.append_of_run(run, facts.RunStarted(attempt=1), SYSTEM)
        writer.place(message)
        writer.runs.append(run)


def _withdraw(writer: "Writer", choice: int, _: str) -> None:
    if writer.queued:
        message, run = writer.queued.pop(choice % len(writer.queued))
        writer.append_fact(facts.MessageDequeued(message=message, reason="withdrawn"), BOB)
        writer.append_of_run(run, facts.RunCancelled(), SYSTEM)


def _edit_queued(writer: "Writer", choice: int, text: str) -> None:
    if writer.queued:
        message, _ = writer.queued[choice % len(writer.queued)]
        writer.append_fact(facts.MessageQueuedEdited(message=message, parts=(facts.Part("text", text),)), BOB)


def _pause(writer: "Writer", choice: int, _: str) -> None:
    if writer.runs:
        run = writer.runs[choice % len(writer.runs)].id
        writer.append_fact(facts.QueuePaused(reason="stopped" if choice else "failed", run=run), SYSTEM)


def _resume_queue(writer: "Writer", choice: int, _: str) -> None:
    writer.append_fact(facts.QueueResumed(by="2" if choice else UNSET), BOB)


def _post_steer(writer: "Writer", choice: int, text: str) -> None:
    if run := _started(writer, choice):
        run.steers.append(writer.post(text, "steering", parent=writer.parent()))


def _consume_steer(writer: "Writer", choice: int, _: str) -> None:
    run = _started(writer, choice)
    if run and run.steers:
        message = run.steers.pop(0)
        writer.append_of_run(run, facts.RunSteered(message=message, consumed=True))
        writer.placed.append(message)


def _open_ask(writer: "Writer", choice: int, text: str) -> None:
    if run := _started(writer, choice):
        ask = AskId(writer.new())
        run.asks.append(ask)
        schema = {"type": "object", "properties": {text: {"type": "string"}}}
        default = None if choice else UNSET
        opened = facts.AskOpened(ask=ask, title=text, schema=schema, ask_kind="form", default=default)
        run.waits = facts.RunWaiting(on="ask", ask=ask)
        writer.append_of_run(run, opened)
        writer.append_of_run(run, run.waits)


def _end_ask(writer: "Writer", choice: int, text: str) -> None:
    run = _started(writer, choice)
    if run and run.asks:
        ask = run.asks.pop(0)
        fact: facts.Fact = facts.AskAnswered(ask=ask, value={"a": text}, by="2", device=text, device_label=text)
        if choice == 1:
            fact = facts.AskClosed(ask=ask, reason="declined")
        writer.append_of_run(run, fact, BOB)


def _resume(writer: "Writer", choice: int, _: str) -> None:
    run = _started(writer, choice)
    if run and run.waits:
        writer.append_of_run(run, facts.RunResumed(on=run.waits.on, ask=run.waits.ask))
        run.waits = None


def _call_tool(writer: "Writer", choice: int, text: str) -> None:
    if run := _started(writer, choice):
        call = f"call_{len(run.calls)}"
        run.calls.append(call)
        writer.append_of_run(run, facts.ToolCalled(call=call, name=text, input={"text": text}))


def _end_call(writer: "Writer", choice: int, text: str) -> None:
    run = _started(writer, choice)
    if run and run.calls:
        call = run.calls.pop()
        writer.append_of_run(run, facts.ToolProgressed(call=call, label=text, done=1))
        failed = facts.ToolFailed(call=call, error=text)
        writer.append_of_run(run, failed if choice == 1 else facts.ToolReturned(call=call, output=[text]))


def _consent(writer: "Writer", choice: int, text: str) -> None:
    fact = facts.ConsentRevoked if choice == 1 else facts.ConsentGranted
    writer.append_fact(fact(tool=text[:1], agent="guide", by="2"), BOB)


def _started(writer: "Writer", choice: int) -> "RandomRun | None":
    started = [run for run in writer.runs if run.attempt]
    return started[choice % len(started)] if started else None


ACTS: Final[tuple[Callable[["Writer", int, str], None], ...]] = (
    *(_post_queued, _send_queued, _withdraw, _edit_queued, _pause, _resume_queue, _post_steer, _consume_steer),
    *(_open_ask, _end_ask, _resume, _call_tool, _end_call, _consent),
)
