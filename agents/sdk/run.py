import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any, Final, TypeVar

from msgspec import UNSET
from typing_extensions import override

from agents.sdk import steps
from agents.sdk.approval import ApprovalAsker
from agents.sdk.delta_buffer import DeltaBuffer
from agents.sdk.durations import duration
from agents.sdk.failed import AgentFailed, StepUnknown
from agents.sdk.failure import failure_of
from agents.sdk.forms import Form, answer_of, ask_form
from agents.sdk.journal import Journal, digest_of, plain
from agents.sdk.message import Message
from agents.sdk.meter import Meter
from agents.sdk.model import ModelLoop
from agents.sdk.outside import AskOutcome, Declined, NewAsk, Outside, Steer
from agents.sdk.prompt import Prompt, PromptMessage, Summarise
from agents.sdk.prompt_reader import History, PromptReader
from agents.sdk.state import KeptState, State
from agents.sdk.steps import Retries, attempt
from agents.sdk.tool import Tool
from agents.sdk.tool_call import current
from agents.sdk.waits import Waiting, Waits
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import Fact, Responders, Role, RunProgressed, ToolProgressed, Usage
from sessions_core.protocol.ids import MessageId, RunId, SessionId
from sessions_core.protocol.text import repair

T = TypeVar("T")

SHORT_S: Final = 3.0  # a sleep that is over so soon is slept in place
SAID_AS_THEY_ARE: Final = (AgentFailed, Declined, StepUnknown)  # errors of steps; all others become StepFailed
logger = logging.getLogger(__name__)

AskForSummary = Callable[[Sequence[PromptMessage], Callable[[Usage], None]], Awaitable[str]]
NOTHING_KEPT: Final = KeptState({})


class AgentRun:
    """One attempt to answer one message: the question, the conversation, and the ways to answer.

    The next `await` raises asyncio.CancelledError when a person presses Stop, when the Run takes too long, or when another worker
    has taken it over. Let it pass: the runner writes the outcome, and keeps what was appended.
    """

    def __init__(
        self,
        claim: Claim,
        question: str,
        history: History,
        buffer: DeltaBuffer,
        meter: Meter,
        *,
        journal: Journal,
        outside: Outside,
        waits: Waits,
        loop: ModelLoop | None = None,
        ask_for_summary: AskForSummary | None = None,
        tools: Sequence[Tool] = (),
        state: KeptState = NOTHING_KEPT,
    ) -> None:
        self.id: RunId = claim.run
        self.session: SessionId = claim.session
        self.agent: str = claim.agent  # the name it is registered by
        # From 1. Above 1 an earlier worker did not end the Run, and people are no longer shown what that one wrote.
        self.attempt: int = claim.attempt
        self.is_resumed: bool = claim.is_resumed  # this attempt goes on after it has waited
        self.replies_to: MessageId | None = claim.replies_to  # the message to answer
        self.tools: Sequence[Tool] = tools  # those that `@agent` was given
        self.messages: list[Message] = []  # those that this attempt has begun, oldest first
        self.input: str = question  # the text of the message to answer; empty where there is none
        self._claimed_at, self._worked_s = claim.claimed_at, claim.worked_s
        self._prompts = PromptReader(history, journal, meter)
        self._buffer = buffer
        self._meter = meter
        self._journal = journal
        self._outside = outside
        self._waits = waits
        self._loop = loop
        self._ask_for_summary = ask_for_summary
        self._state = State(journal, state)
        # For the model loop:
        self.journal = journal
        self.approve = ApprovalAsker(journal, outside, waits, self._settle)

    async def prompt(
        self,
        *,
        budget: int | None = None,
        names: bool | None = None,
        summary: Summarise | None = None,
        messages: int | None = None,
    ) -> Prompt:
        """Reads the conversation for a model, oldest first; the message to answer is the last one.

        `budget`: tokens that it may have at most, by a guess; the message to answer is there in any case. `messages`: so many
        newest ones at most. It never has more than PROMPT_MESSAGES and PROMPT_BYTES. What is left out is said in `cut` of the
        result and, in a note at its beginning, to the model. With `summary` (`run.summarise`, or a function of the messages that
        the budget leaves out) the note has a summary of them, which is made once. `names`: each message of a person begins with
        the name; without it, where several people write.

        Leaves out answers that failed or were interrupted. The beginning stays the same from Run to Run, so that the prefix
        caches of providers hit; where it is cut, for many Runs.
        """
        return await self._prompts.read(budget, names=names, summary=summary, messages=messages)

    async def summarise(self, messages: Sequence[PromptMessage]) -> str:
        """Returns a summary of the messages by the model of CHAT_MODEL, for `run.prompt(summary=run.summarise)`. What it uses
        counts for the Run. Raises AgentFailed when the model fails.
        """
        if self._ask_for_summary is None:
            raise AgentFailed("no_model", "This agent was started without a model.")
        self._meter.count(requests=1)
        await asyncio.sleep(0)  # where that was one too many, it is cancelled here
        return await self._ask_for_summary(messages, self._meter.use)

    @asynccontextmanager
    async def message(self) -> AsyncIterator[Message]:
        """Begins a Message, and completes it when the block ends. A Run may write several, one after the other.

        When the block raises, the Message is left open: the end of the Run completes it with what was appended, marked as
        stopped or failed.
        """
        async with Message(
            self._buffer,
            parent=self.replies_to,
            agent=self.agent,
            meter=self._meter,
            journal=self._journal,
            kept=await self._journal.next_message(),
            void=self._outside.void,
            number=len(self.messages) + 1,
            ask_model=None if self._loop is None else partial(self._loop, self),
        ) as message:
            self.messages.append(message)
            yield message
            await self._state.save()

    async def progress(self, label: str, done: float | None = None, total: float | None = None) -> None:
        """Shows people what the agent is doing, or in a tool, how its call is getting on: `label`, and `done` of `total`, in any
        unit, where they are known. Only the newest of several in a short time (DELTA_MS) is written. What an earlier attempt has
        shown is not shown again.
        """
        label, so_far, whole = repair(label), UNSET if done is None else done, UNSET if total is None else total
        fact: Fact = RunProgressed(label, so_far, whole)
        if (call := current.get()) is not None:
            fact = ToolProgressed(call.id, label, so_far, whole, message=call.message, step=call.step)
        if not await self._journal.is_replaying():
            self._buffer.put(fact)
        await self._buffer.wait_for_room()

    @property
    def approved(self) -> bool:
        """In a tool: whether a person has approved this call."""
        call = current.get()
        return call is not None and call.is_approved

    @property
    def usage(self) -> Usage | None:
        """What the Run has used of models so far, over all its attempts; None where nothing was counted."""
        return self._meter.spent.usage

    async def step(
        self,
        key: str,
        work: Callable[..., Awaitable[object]],
        *arguments: object,
        retries: int = 0,
        backoff: tuple[float, float] = (1, 10),
        retry_on: tuple[type[Exception], ...] = (Exception,),
        timeout: float | None = None,  # noqa: ASYNC109  # of each try
        idempotent: bool = True,
    ) -> Any:  # noqa: ANN401  # JSON
        """Does `work(*arguments)` once in the life of the Run, and returns its result as JSON gives it back: None, texts,
        numbers, lists and dicts. A later attempt reads the result of the `key`, and does not do the work.

        `retries`: so many more times after an error of `retry_on`, with a pause in seconds that doubles from the first to the
        second figure of `backoff`. `timeout` in seconds, each time. When a worker is killed in the middle, the work is done
        again, with the same `run.key` for the world outside; with `idempotent=False` that raises StepUnknown instead.

        An error of the work is kept as a result is, and raised in every attempt: StepFailed, or as it is when it is AgentFailed
        or Declined. Raises AgentFailed when the result is larger than 16 MiB.
        """
        key, digest = self._journal.key("step", key), digest_of(arguments)
        kept = await self._journal.find(key)
        if kept is not None and kept.digest and kept.digest != digest:
            self.log.warning("The step “%s” was begun with another input before. Its kept result is used.", key)
        if kept is not None and kept.is_complete:
            self._journal.pass_over(key)
            if kept.failure is not None:
                raise kept.failure.error()
            return kept.result
        tries = 0

        def begin_try() -> None:
            nonlocal tries
            tries += 1
            self._meter.progress()
            if tries > 1:
                self._journal.begin_again(key)

        try:
            if not idempotent:
                await self._begin_once(key, digest, is_begun=kept is not None)
            self._meter.count(steps=1)
            result = await attempt(key, work, arguments, Retries(retries, backoff, retry_on, timeout), begin_try)
            return await self._journal.complete(key, result, digest=digest)
        except Exception as error:
            failure = failure_of(error, tries=tries)
            if not self._is_within_step:
                await self._journal.fail(key, failure, digest=digest)
            if type(error) in SAID_AS_THEY_ARE:
                raise
            raise failure.error() from error
        finally:
            self._meter.progress()

    async def _begin_once(self, key: str, digest: str, *, is_begun: bool) -> None:
        """Keeps that work begins that must not be done twice. Raises StepUnknown when it was begun before, unless the Run has
        waited within it: then it was not cut off.
        """
        if not is_begun:
            await self._journal.begin(key, digest=digest, once=True)
        elif not self.is_resumed:
            raise StepUnknown(f"The step “{key}” was cut off, and must not be done twice.")

    @property
    def _is_within_step(self) -> bool:
        """True in the work of a step, whose outcome is kept, and tried again, as a whole. In a tool it is false."""
        call = current.get()
        return steps.current.get() not in {"", call.step if call else ""}

    @property
    def key(self) -> str:
        """The idempotency key of the step that is being done: for the world outside, the same in every attempt."""
        return f"{self.id}:{steps.current.get()}"

    async def ask(
        self,
        form: Form,
        title: str,
        *,
        default: object = None,
        expires: float | str | timedelta | None = None,
        by: Role | Responders | None = None,
        key: str | None = None,
    ) -> Any:  # noqa: ANN401  # of the form's type
        """Asks people, and returns the first answer, in the form's type. The Run waits as long as it takes, without a worker.

        `form`: a pydantic model, a msgspec Struct, a JSON Schema or a list of choices. `default` fills the form in. `by`: who may
        answer; without it the owner and the editors. Raises Declined when a person declines or writes a message instead, and when
        nobody has answered within `expires`.
        """
        key, asked = self._journal.key("ask", key), ask_form(form)
        end = None if expires is None else await self._outside.now() + duration(expires)
        responders = Responders(roles=(by,)) if isinstance(by, str) else by
        filled = None if default is None else plain(default)
        new = NewAsk(title, asked.kind, asked.schema, expires_at=end, responders=responders, default=filled)
        if (kept := await self._journal.find(key)) is not None and kept.failure is not None:
            raise kept.failure.error()
        await self._settle()
        while (outcome := await self._ask(key, new)).is_open:
            await self._waits.wait(Waiting("ask", ask=outcome.ask))
        if outcome.end is not None:
            raise Declined(outcome.end, outcome.message)
        return answer_of(form, outcome.value)

    async def _ask(self, key: str, new: NewAsk) -> AskOutcome:
        """Asks, and keeps that it could not: later it might, and a later attempt would come to something else."""
        try:
            return await self._outside.ask(key, new)
        except AgentFailed as failed:
            await self._journal.fail(key, failure_of(failed))
            raise

    async def sleep(self, time: float | str | timedelta, *, key: str | None = None) -> None:
        """Sleeps for so many seconds, or for a time such as “15m”, “2h” or “7d”. A long sleep holds no worker."""
        key = self._journal.key("sleep", key)
        until = await self._once(key, lambda: self._at(duration(time)))
        while (left := (until - await self._outside.now()).total_seconds()) > 0:
            if left <= SHORT_S:
                await asyncio.sleep(left)
            else:
                await self._settle()
                await self._waits.wait(Waiting("sleep", until=until))

    async def wait_for(
        self, signal: str, *, expires: float | str | timedelta | None = None, key: str | None = None
    ) -> Any:  # noqa: ANN401  # JSON
        """Waits for a signal, which the API takes for this Run, and returns its value. Each is taken by one call; those that come
        early are kept. Raises Declined with the reason expired.
        """
        key = self._journal.key(f"signal-{signal}", key)
        until = None if expires is None else await self._once(f"{key}.until", lambda: self._at(duration(expires)))
        if until is not None and await self._journal.is_kept(f"{key}.expired"):
            await self._journal.find(f"{key}.expired")
            raise Declined("expired")
        await self._settle()
        while (received := await self._outside.signal(signal, key)) is None:
            if until is not None and until <= await self._outside.now():
                await self._journal.complete(f"{key}.expired", None)  # or a later attempt would take what comes later
                raise Declined("expired")
            await self._waits.wait(Waiting("signal", signal=signal, until=until))
        return received.value

    async def gather(self, awaitables: Iterable[Awaitable[T]]) -> list[T]:
        """Awaits all of them side by side, and returns their results in order. When one raises, the others are cancelled. While
        all of them wait, the Run holds no worker; with asyncio's own gather it does.
        """
        return await self._waits.gather(self._journal.key("gather"), awaitables)

    async def steers(self, *, key: str | None = None) -> list[Steer]:
        """Takes what people have written to this Run since the last time, oldest first. What no call takes gets an answer of its
        own when the Run has ended. A later attempt takes the same with the same call, and then what is new.
        """
        key = self._journal.key("steers", key)
        if not await self._journal.is_kept(key) and await self._journal.is_replaying():
            return []
        await self._settle()
        begun = [message for message in self.messages if message.is_begun]
        before = [fact for message in begun for fact in message.break_off()]
        taken = await self._outside.steers(key, before)
        for message in begun if taken else ():
            await message.go_on()
        return taken

    @property
    def state(self) -> dict[str, Any]:
        """What the agent keeps in this Session from Run to Run: a dict of JSON with text as keys, 64 KiB at most. It is as it was
        when the Run looked first, in each of its attempts.

        What is changed in it is saved at the next step, wait or end of a message, and at the end of the Run; `save_state` saves
        it at once. A save raises StateChanged when another Run has changed the same key since this one looked, and AgentFailed
        when the state cannot be kept.
        """
        return self._state.values

    async def save_state(self) -> None:
        """Saves what is changed in `run.state`. Raises StateChanged and AgentFailed."""
        await self._state.save()

    async def update_state(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Has `change` change the newest state in place, whatever other Runs save meanwhile; it may be called several times. Then
        `run.state` is what was saved. Done once, as a step is.
        """
        await self._state.update(change)

    @property
    def deadline(self) -> datetime | None:
        """The moment, by the database's clock, at which the limit of `seconds` ends the Run if it goes on working until then. It
        moves on with each wait, because the time in which the Run waits does not count. None: there is no such limit.
        """
        if self._meter.limits.seconds is None or self._claimed_at is None:
            return None
        return self._claimed_at + timedelta(seconds=self._meter.limits.seconds - self._worked_s)

    async def now(self) -> datetime:
        """Returns the time by the database's clock; in a later attempt the same again."""
        return await self._once(self._journal.key("now"), self._outside.now)

    @cached_property
    def random(self) -> random.Random:
        """Random numbers that are the same in every attempt of this Run."""
        return random.Random(str(self.id))  # noqa: S311  # not for secrets

    @cached_property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose lines name the Run."""
        extra = {"run": str(self.id), "session": str(self.session), "agent": self.agent, "attempt": self.attempt}
        return _RunLogger(logger, extra)

    async def _settle(self) -> None:
        """Writes what the agent has said and kept so far."""
        await self._state.save()
        await self._buffer.flush()

    async def _once(self, key: str, find: Callable[[], Awaitable[datetime]]) -> datetime:
        kept = await self._journal.find(key)
        found = kept.result if kept is not None else await self._journal.complete(key, await find())
        return datetime.fromisoformat(found)

    async def _at(self, time: timedelta) -> datetime:
        return await self._outside.now() + time


class _RunLogger(logging.LoggerAdapter[logging.Logger]):
    @override
    def process(self, msg: str, kwargs: MutableMapping[str, Any]) -> tuple[str, MutableMapping[str, Any]]:
        run = self.extra or {}
        return f"{run['agent']} ({run['run']}, attempt {run['attempt']}): {msg}", kwargs
