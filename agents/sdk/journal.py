"""The keys of what an agent does, and what was kept under them. A later attempt of the Run performs the agent's function again
from its beginning; what has a key and a result is read, not done again (as in DBOS and Temporal).
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from agents.sdk.failed import AgentFailed, KeyUsedTwice
from sessions_core.protocol.events import Fact

KEY_CHARACTERS: Final = 200
# What the default keys of the present task begin with: tasks side by side count each for itself.
scope: Final[ContextVar[str]] = ContextVar("scope of keys", default="")
RESULT_BYTES: Final = 16 * 1024 * 1024


class Kept(Struct, frozen=True):
    """What is kept under a key. Without `is_complete` the work was begun and cut off: whether it was done is not known."""

    is_complete: bool
    result: Any = None
    digest: str = ""


class StepStore(Protocol):
    """Keeps Steps in the database, each in one transaction with the facts, after all that the Run has said before."""

    async def begin(self, key: str, *, ordinal: int, digest: str, facts: Sequence[Fact], once: bool) -> None: ...

    async def complete(self, key: str, *, ordinal: int, digest: str, result: bytes, facts: Sequence[Fact]) -> None: ...


class Journal:
    """The Steps of one Run: those of earlier attempts, in `kept`, and those that this attempt adds."""

    def __init__(self, store: StepStore, kept: Mapping[str, Kept]) -> None:
        self._store = store
        self._kept = dict(kept)
        self._ordinals: Counter[str] = Counter()
        self._order = {key: number for number, key in enumerate(kept, start=1)}
        self._used: set[str] = set()
        self._has_news = False

    def key(self, kind: str, given: str | None = None) -> str:
        """Returns the key for a call: the one that the agent has given, else its kind and how many of it there were. Raises
        KeyUsedTwice.
        """
        if given is None:
            kind = scope.get() + kind
            self._ordinals[kind] += 1
            given = f"{kind}-{self._ordinals[kind]}"
        if given in self._used:
            raise KeyUsedTwice(f"The key “{given}” was used before in this Run. Give each call a key of its own.")
        if len(given) > KEY_CHARACTERS:
            raise ValueError(f"A key has at most {KEY_CHARACTERS} characters: {given[:40]}…")
        self._used.add(given)
        return given

    @property
    def is_replaying(self) -> bool:
        """True until the agent has passed all that was kept, or does something that was not: its code may know a kept key no
        more.
        """
        return not self._has_news and not self._kept.keys() <= self._used

    async def find(self, key: str) -> Kept | None:
        """Returns what is kept under the key."""
        self._used.add(key)
        self._has_news = self._has_news or key not in self._kept
        return self._kept.get(key)

    def pass_over(self, prefix: str) -> None:
        """Notes that the work is done whose keys begin with the prefix, so that nobody will look for the rest of them."""
        self._used.update(key for key in self._kept if key.startswith(prefix))

    async def begin(self, key: str, *facts: Fact, digest: str = "", once: bool = False) -> None:
        """Keeps that the work begins: what is cut off now will not be repeated unseen. `once`: it must never be done twice."""
        await self._store.begin(key, ordinal=self._ordinal(key), digest=digest, facts=facts, once=once)
        self._kept[key] = Kept(is_complete=False, digest=digest)

    async def complete(self, key: str, result: object, *facts: Fact, digest: str = "") -> Any:  # noqa: ANN401  # JSON
        """Keeps the result, and returns it as a later attempt finds it. Raises AgentFailed when it cannot be kept."""
        encoded = encode(result)
        await self._store.complete(key, ordinal=self._ordinal(key), digest=digest, result=encoded, facts=facts)
        self._kept[key] = kept = Kept(is_complete=True, result=msgspec.json.decode(encoded), digest=digest)
        return kept.result

    def _ordinal(self, key: str) -> int:
        return self._order.setdefault(key, len(self._order) + 1)


def encode(result: object) -> bytes:
    """Returns the result as JSON. Raises AgentFailed."""
    try:
        encoded = msgspec.json.encode(result, enc_hook=_plain)
    except (TypeError, UnicodeError, NotImplementedError, RecursionError) as error:
        raise AgentFailed("bad_result", f"The result of a step cannot be kept: {error}") from error
    if len(encoded) > RESULT_BYTES:
        mebibytes = len(encoded) / 1024**2
        raise AgentFailed("bad_result", f"The result of a step has {mebibytes:.1f} MiB; at most 16 MiB can be kept.")
    return encoded


def digest_of(values: Sequence[object]) -> str:
    """Returns a digest of the input of a Step; empty when it has no form as JSON, so that it cannot be compared."""
    try:
        return hashlib.sha256(msgspec.json.encode(values, enc_hook=_plain, order="deterministic")).hexdigest()
    except (TypeError, UnicodeError, NotImplementedError, RecursionError, AgentFailed):
        return ""


def _plain(value: object) -> object:
    """Makes JSON of a pydantic model, without loading pydantic."""
    dump = getattr(value, "model_dump", None)
    if dump is None:
        raise NotImplementedError(f"{type(value).__name__} has no form as JSON.")
    return dump(mode="json")
