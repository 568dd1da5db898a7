"""The keys of what an agent does, and what was kept under them. A later attempt of the Run performs the agent's function again
from its beginning; what has a key and a result is read, not done again (as in DBOS and Temporal).
"""

import asyncio
import hashlib
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from agents.sdk import steps
from agents.sdk.failed import AgentFailed, KeyUsedTwice
from agents.sdk.failure import Failure
from sessions_core.protocol.events import Fact, Part
from sessions_core.protocol.ids import MessageId

KEY_CHARACTERS: Final = 180  # the columns have 200: some keys are made of another one
HIDDEN: Final = "@"  # begins the keys of what the SDK keeps for itself
RESULT_BYTES: Final = 16 * 1024 * 1024


class Kept(Struct, frozen=True):
    """What is kept under a key: a `result` or a `failure`. Without `is_complete` the work was begun and cut off: whether it was
    done is not known.
    """

    is_complete: bool
    result: Any = None
    failure: Failure | None = None
    digest: str = ""


class KeptStep(Struct, frozen=True):
    """A Step without its result."""

    is_complete: bool
    is_failed: bool = False
    digest: str = ""


class KeptMessage(Struct, frozen=True):
    """A Message that is in the log already: an earlier attempt has completed it, or this one began it before the Run waited. Then
    it has `parts`.
    """

    message: MessageId
    is_complete: bool
    parts: tuple[Part, ...] = ()


class Past(Struct, frozen=True):
    """What a Run has left behind before this attempt: `steps`, in the order of their beginning; the keys of its questions and of
    the signals and steers that it has taken; its Messages, in the order of their beginning.
    """

    steps: Mapping[str, KeptStep] = {}
    elsewhere: frozenset[str] = frozenset()
    messages: Sequence[KeptMessage] = ()


class StepStore(Protocol):
    """Keeps Steps in the database, each in one transaction with the facts, after all that the Run has said before."""

    async def read_past(self) -> Past: ...

    async def read_result(self, key: str) -> bytes:
        """Returns what is kept under the key of a complete Step, as JSON."""

    async def begin(self, key: str, *, ordinal: int, digest: str, facts: Sequence[Fact], once: bool) -> None: ...

    async def complete(
        self, key: str, *, ordinal: int, digest: str, result: bytes, error: str, facts: Sequence[Fact], is_shown: bool
    ) -> None:
        """Keeps the result; with `error`, the name of a class, it is a Failure. With `is_shown` the log says so."""

    async def read_state(self) -> dict[str, Any]:
        """Returns what the agent keeps in the Session now."""

    async def save_state(
        self, key: str, *, ordinal: int, result: bytes, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> None:
        """Changes the values of the state that were `before` to those `after`, and keeps the Step, in one transaction. Raises
        StateChanged, and AgentFailed when the state grows too large.
        """


class Journal:
    """What one Run has kept: what earlier attempts have left, which is read when it is first asked for, and what this one adds.
    Results are not held in memory.
    """

    def __init__(self, store: StepStore) -> None:
        self._store = store
        self._reading = asyncio.Lock()
        self._past: Past | None = None
        self._steps: dict[str, KeptStep] = {}
        self._order: dict[str, int] = {}
        self._kept_keys: list[str] = []  # sorted
        self._messages: deque[KeptMessage] = deque()
        self._ordinals: Counter[str] = Counter()
        self._used: set[str] = set()
        self._unused: set[str] = set()  # keys, and ids of Messages, that the agent has not come to yet
        self._news: set[str] = set()  # the scopes in which it has done something that was not kept
        # For the state of the agent: called with the key before the outcome of work is kept, and when it is replayed.
        self.before_keeping: Callable[[str], Awaitable[None]] = _ignore
        self.on_replay: Callable[[str], Awaitable[None]] = _ignore

    def key(self, kind: str, given: str | None = None) -> str:
        """Returns the key for a call: the one that the agent has given, else its kind and how many of it there were. Within a
        step or a tool call it begins with the key of that. Raises KeyUsedTwice.
        """
        if given is not None and given.startswith(HIDDEN):
            raise ValueError(f"A key cannot begin with {HIDDEN}: those are of the SDK itself.")
        if given is None:
            kind = steps.scope.get() + kind
            self._ordinals[kind] += 1
            given = f"{kind}-{self._ordinals[kind]}"
        else:
            given = _within() + given
        if given in self._used:
            raise KeyUsedTwice(f"The key “{given}” was used before in this Run. Give each call a key of its own.")
        if len(given) > KEY_CHARACTERS:
            raise ValueError(f"A key has at most {KEY_CHARACTERS} characters: {given[:40]}…")
        self._use(given)
        return given

    def begin_again(self, key: str) -> None:
        """Begins the work of the key once more, so that the keys within it can be used again."""
        within = f"{key}."
        self._used = {used for used in self._used if not used.startswith(within)}
        for kind in [kind for kind in self._ordinals if kind.startswith(within)]:
            del self._ordinals[kind]

    async def is_replaying(self) -> bool:
        """Returns whether the agent has something before it that was kept. What it does side by side is looked at each for
        itself; and once it has done something there that was not kept, it replays no more: its code may know a kept key no more.
        """
        await self._read()
        if not self._unused:
            return False
        here, within = steps.scope.get(), _within()
        if any(news.startswith(here) or here.startswith(news) for news in self._news):
            return False
        return any(key.startswith(within) for key in self._unused)

    async def is_kept(self, key: str) -> bool:
        """Returns whether something was kept under the key before this attempt."""
        past = await self._read()
        return key in past.elsewhere or key in past.steps

    async def find(self, key: str) -> Kept | None:
        """Returns what is kept under the key. Yields to the loop once, so that a long replay does not starve other Runs."""
        await self._read()
        await asyncio.sleep(0)
        self._use(key)
        step = self._steps.get(key)
        if step is None:
            if not await self.is_kept(key) and not any(self._kept_within(key + mark) for mark in ".-"):
                self._news.add(steps.scope.get())
            return None
        if not step.is_complete:
            return Kept(is_complete=False, digest=step.digest)
        await self.on_replay(key)
        result = await self._store.read_result(key)
        if step.is_failed:
            return Kept(is_complete=True, failure=msgspec.json.decode(result, type=Failure), digest=step.digest)
        return Kept(is_complete=True, result=msgspec.json.decode(result), digest=step.digest)

    def pass_over(self, key: str, *, marks: str = ".") -> None:
        """Notes that the work of the key is done, so that nobody will look for what is kept within it: under keys that begin with
        it and one of the `marks`.
        """
        for mark in marks:
            for kept in self._kept_within(key + mark):
                self._use(kept)

    async def begin(self, key: str, *facts: Fact, digest: str = "", once: bool = False) -> None:
        """Keeps that the work begins: what is cut off now will not be repeated unseen. `once`: it must never be done twice."""
        await self.before_keeping("")
        await self._store.begin(key, ordinal=await self.ordinal(key), digest=digest, facts=facts, once=once)
        self._steps[key] = KeptStep(is_complete=False, digest=digest)

    async def complete(self, key: str, result: object, *facts: Fact, digest: str = "") -> Any:  # noqa: ANN401  # JSON
        """Keeps the result, and returns it as a later attempt finds it. Raises AgentFailed when it cannot be kept."""
        encoded = encode(result)
        await self._keep(key, encoded, digest, facts)
        return msgspec.json.decode(encoded)

    async def fail(self, key: str, failure: Failure, *, digest: str = "") -> None:
        """Keeps an error as the outcome."""
        await self._keep(key, msgspec.json.encode(failure), digest, (), error=failure.kind)

    async def keep(self, key: str, result: object) -> None:
        """Keeps the result of nobody's work, and shows it to nobody who reads the log."""
        await self._write(key, encode(result), "", (), is_shown=False)

    async def read_state(self) -> dict[str, Any]:
        """Returns what the agent keeps in the Session now."""
        return await self._store.read_state()

    async def save_state(
        self, key: str, before: Mapping[str, Any], after: Mapping[str, Any], *, result: object
    ) -> None:
        """Changes the values of the state, once. Raises StateChanged and AgentFailed."""
        ordinal = await self.ordinal(key)
        await self._store.save_state(key, ordinal=ordinal, result=encode(result), before=before, after=after)
        self._steps[key] = KeptStep(is_complete=True)

    async def next_message(self) -> KeptMessage | None:
        """Returns the Message that an earlier attempt has begun at this place."""
        await self._read()
        return self._messages.popleft() if self._messages else None

    def pass_message(self, message: MessageId) -> None:
        """Notes that the agent has said what was kept of the Message."""
        self._unused.discard(str(message))

    async def _read(self) -> Past:
        if self._past is not None:
            return self._past
        async with self._reading:
            if self._past is None:
                past = await self._store.read_past()
                self._steps = dict(past.steps)
                self._order = {key: number for number, key in enumerate(past.steps, start=1)}
                self._messages = deque(past.messages)
                self._kept_keys = sorted(past.elsewhere | past.steps.keys())
                self._unused = {key for key in self._kept_keys if not key.startswith(HIDDEN)} - self._used
                self._unused.update(str(kept.message) for kept in past.messages)
                self._past = past
            return self._past

    async def _keep(self, key: str, result: bytes, digest: str, facts: Sequence[Fact], *, error: str = "") -> None:
        await self.before_keeping(key)
        await self._write(key, result, digest, facts, error=error)

    async def _write(
        self,
        key: str,
        result: bytes,
        digest: str,
        facts: Sequence[Fact],
        *,
        error: str = "",
        is_shown: bool = True,
    ) -> None:
        ordinal = await self.ordinal(key)
        await self._store.complete(
            key, ordinal=ordinal, digest=digest, result=result, error=error, facts=facts, is_shown=is_shown
        )
        self._steps[key] = KeptStep(is_complete=True, is_failed=bool(error), digest=digest)

    def _kept_within(self, beginning: str) -> Sequence[str]:
        begin = end = bisect_left(self._kept_keys, beginning)
        while end < len(self._kept_keys) and self._kept_keys[end].startswith(beginning):
            end += 1
        return self._kept_keys[begin:end]

    def _use(self, key: str) -> None:
        self._used.add(key)
        self._unused.discard(key)

    async def ordinal(self, key: str) -> int:
        """Returns the place of the Step among those of the Run, from 1."""
        await self._read()
        return self._order.setdefault(key, len(self._order) + 1)


async def _ignore(_: str) -> None: ...


def _within() -> str:
    """Returns what the keys begin with that an agent gives: within a step or a tool call, the key of that."""
    key = steps.current.get()
    return f"{key}." if key else ""


def encode(result: object, *, what: str = "The result of a step") -> bytes:
    """Returns the result as JSON. Raises AgentFailed with a sentence that begins with `what`."""
    try:
        encoded = msgspec.json.encode(result, enc_hook=_plain)
    except (TypeError, UnicodeError, NotImplementedError, RecursionError) as error:
        raise AgentFailed("bad_result", f"{what} cannot be kept: {error}") from error
    if len(encoded) > RESULT_BYTES:
        mebibytes = len(encoded) / 1024**2
        raise AgentFailed("bad_result", f"{what} has {mebibytes:.1f} MiB; at most 16 MiB can be kept.")
    return encoded


def digest_of(values: Sequence[object]) -> str:
    """Returns a digest of the input of a Step; empty when it has no form as JSON, so that it cannot be compared."""
    try:
        return hashlib.sha256(msgspec.json.encode(values, enc_hook=_plain, order="deterministic")).hexdigest()
    except (TypeError, UnicodeError, NotImplementedError, RecursionError, AgentFailed):
        return ""


def plain(value: object) -> Any:  # noqa: ANN401  # JSON
    """Returns the value as JSON gives it back. Raises TypeError or NotImplementedError when it has no form as JSON."""
    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=_plain))


def _plain(value: object) -> object:
    """Makes JSON of a pydantic model, without loading pydantic."""
    dump = getattr(value, "model_dump", None)
    if dump is None:
        raise NotImplementedError(f"{type(value).__name__} has no form as JSON.")
    return dump(mode="json")
