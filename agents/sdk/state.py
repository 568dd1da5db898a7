"""`run.state`: what an agent keeps in a Session from Run to Run. A plain dict, saved whenever the Run keeps something.

A Run sees the state as it was when the Run first looked, in all its attempts, and its own changes. A save is a compare-and-set:
each name that it changes must still have the value that the Run has seen. It is a Step, so a later attempt does not save again;
what the work of a step or a tool has changed, the replay of that work changes again.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final

import msgspec
from msgspec import Struct

from agents.sdk import steps
from agents.sdk.failed import AgentFailed, StateChanged
from agents.sdk.journal import HIDDEN, Journal, digest_of, encode

SEEN: Final = f"{HIDDEN}state"  # the key of the state as the Run has seen it first; those of its saves begin with it

Values = dict[str, Any]


class KeptState(Struct, frozen=True):
    """What an attempt finds. `is_seen`: the Run has looked before, and this is what it has seen."""

    values: Mapping[str, Any]
    is_seen: bool = False


class State:
    """The state, for one attempt."""

    def __init__(self, journal: Journal, kept: KeptState) -> None:
        self._journal = journal
        self._kept = kept
        self._is_seen = kept.is_seen
        self._values: Values | None = None  # what the agent sees and changes; None until it looks
        self._saved: Values = {}
        self._times: Counter[str] = Counter()  # saves, by their cause
        self._newest: dict[str, int] = {}  # by name, the ordinal of the save that has set it
        self._saving = asyncio.Lock()
        journal.before_keeping, journal.on_replay = self.save, self._replay

    @property
    def values(self) -> Values:
        """What the agent may read and change in place."""
        if self._values is None:
            self._saved = dict(self._kept.values)
            self._values = deepcopy(self._saved)
        return self._values

    async def save(self, step: str = "") -> None:
        """Saves what has changed; `step` is the key of the work that has done it, where it ends here. Raises AgentFailed when it
        cannot be kept, and StateChanged when another Run was there first.
        """
        if self._values is None:
            return
        async with self._saving:
            if not self._is_seen:
                await self._journal.keep(SEEN, self._saved)
                self._is_seen = True
            while any(change := _changes(self._saved, _as_kept(self._values))):
                await self._save_once(steps.outermost.get() or step or digest_of(change), *change)

    async def update(self, change: Callable[[Values], object]) -> None:
        """Has `change` change the newest state, whoever saves meanwhile. Raises AgentFailed."""
        values = self.values
        await self.save()
        async with self._saving:
            cause = steps.outermost.get() or f"{steps.scope.get()}update"
            key = self._next_key(cause)
            if await self._journal.is_kept(key):
                saved = await self._find(key)
            else:
                saved = await self._change_newest(key, change)
            self._times[cause] += 1
            await self._apply(key, saved, self._saved, values)

    async def _change_newest(self, key: str, change: Callable[[Values], object]) -> Any:  # noqa: ANN401  # JSON
        while True:
            newest = await self._journal.read_state()
            changed = deepcopy(newest)
            change(changed)
            changed = _as_kept(changed)
            saved = [[name for name in {**self._saved, **newest} if name not in changed], changed]
            try:
                await self._journal.save_state(key, *_changes(newest, changed), result=saved)
            except StateChanged:
                continue
            return saved

    async def _save_once(self, cause: str, before: Values, after: Values) -> None:
        key = self._next_key(cause)
        if await self._journal.is_kept(key):
            saved = await self._find(key)
        else:
            saved = [[name for name in before if name not in after], after]
            await self._journal.save_state(key, before, after, result=saved)
        self._times[cause] += 1
        await self._apply(key, saved, self._saved)

    async def _replay(self, step: str) -> None:
        """Changes the state as the work of the step has, which is not done again."""
        while not step.startswith(HIDDEN) and await self._journal.is_kept(key := self._next_key(step)):
            self._times[step] += 1
            values = self.values
            await self._apply(key, await self._find(key), self._saved, values)

    async def _find(self, key: str) -> Any:  # noqa: ANN401  # JSON
        kept = await self._journal.find(key)
        assert kept is not None
        return kept.result

    def _next_key(self, cause: str) -> str:
        return f"{SEEN}-{digest_of([cause])[:16]}-{self._times[cause] + 1}"

    async def _apply(self, key: str, saved: Any, *states: Values) -> None:  # noqa: ANN401  # JSON
        """Sets what was saved, unless a later save has set it: work side by side may be replayed in another order."""
        removed, after = saved
        ordinal = await self._journal.ordinal(key)
        for name in [*removed, *after]:
            if self._newest.get(name, 0) > ordinal:
                continue
            self._newest[name] = ordinal
            for values in states:
                values.pop(name, None)
                if name in after:
                    values[name] = deepcopy(after[name])


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Values, Values]:
    """Returns the values that have changed, as they were and as they are. What was added or removed is in one of the two only."""
    names = [name for name in {**old, **new} if _json(old, name) != _json(new, name)]
    return {name: old[name] for name in names if name in old}, {name: new[name] for name in names if name in new}


def _json(values: Mapping[str, Any], name: str) -> bytes:
    """Returns the value as JSON, which tells `true` from `1`; empty where there is none."""
    return msgspec.json.encode(values[name], order="deterministic") if name in values else b""


def _as_kept(values: Mapping[str, Any]) -> Values:
    """Returns the values as JSON gives them back. Raises AgentFailed."""
    kept = msgspec.json.decode(encode(values, what="What the agent keeps in this conversation"))
    if not isinstance(kept, dict):
        raise AgentFailed("bad_result", "The state of an agent is a dict.")
    return kept
