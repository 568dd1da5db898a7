"""The result of a measure."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from msgspec import Struct

T = TypeVar("T")


class Result(Struct, frozen=True):
    """One measure: its name, the figures to reach and those found, as text, and the table with the figures of each round."""

    name: str
    reach: str
    reached: bool
    found: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def cell(rounds: Iterable[T], show: Callable[[T], str]) -> str:
    """Returns a cell of the table with one figure for each round."""
    return " · ".join(show(each) for each in rounds)
