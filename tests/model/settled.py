"""What in a log says nothing: the order in which the Runs that one act cancelled ended. Ids decide it, and ids are random."""

from collections.abc import Sequence

from tests.model.acts import Fact


def settled(log: Sequence[Fact]) -> list[Fact]:
    """Returns the log with the Runs that one act cancelled in the order of their names: which goes first says nothing."""
    found: list[Fact] = []
    for fact in log:
        if fact[0] == "run.cancel_requested":
            found.append((fact[0], tuple(sorted(map(str, fact[1])))))  # type: ignore[call-overload]  # a tuple of Runs
            continue
        at = len(found)
        while _is_of_cancel(fact) and at and _is_of_cancel(found[at - 1]) and _run_of(found[at - 1]) > _run_of(fact):
            at -= 1
        found.insert(at, fact)
    return found


def _is_of_cancel(fact: Fact) -> bool:
    return fact[0] in {"run.cancelled", "queue.resumed"} or fact[-1] in {"withdrawn", "cancelled"}


def _run_of(fact: Fact) -> str:
    if fact[0] == "queue.resumed":
        return "~"  # the last
    name = str(fact[1])
    return name if "/" in name else f"{name}/1"  # a Message that was queued has its first Run
