"""The states of a Run and the moves between them: a graph, after takahe's. Constraints, SQL, pages and docs follow this file."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class RunState(StrEnum):
    REQUESTED = "requested"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


_OUTCOMES: Final = frozenset({RunState.COMPLETED, RunState.CANCELLED, RunState.FAILED, RunState.INTERRUPTED})

INITIAL: Final = RunState.REQUESTED
TRANSITIONS: Final[Mapping[RunState, frozenset[RunState]]] = MappingProxyType(
    {
        RunState.REQUESTED: frozenset({RunState.RUNNING, RunState.CANCELLED, RunState.FAILED}),
        RunState.RUNNING: _OUTCOMES | {RunState.RUNNING, RunState.WAITING},  # to itself: a new attempt
        RunState.WAITING: frozenset({RunState.RUNNING, RunState.CANCELLED, RunState.FAILED, RunState.INTERRUPTED}),
        **dict.fromkeys(_OUTCOMES, frozenset()),
    }
)
ACTIVE: Final = tuple(state for state in RunState if TRANSITIONS[state])
TERMINAL: Final = tuple(state for state in RunState if not TRANSITIONS[state])
RETRIABLE: Final = frozenset(TERMINAL) - {RunState.COMPLETED}  # people may ask for such an answer once more


def sql(states: Iterable[RunState]) -> str:
    """Returns the states as the inside of an SQL list: `'requested', 'running'`."""
    return ", ".join(f"'{state}'" for state in states)
