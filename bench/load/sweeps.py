"""`python -m bench.load.sweeps TIMES`: times the sweeps of a worker. Prints how many ms they took, a list for each sweep."""

import json
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Final

import django

django.setup()

from agents.sdk.registry import agents  # noqa: E402
from sessions_core.services import asks, runs  # noqa: E402

SWEEPS: Final[dict[str, Callable[[], object]]] = {
    "Runs whose lease has lapsed": runs.end_lapsed,
    "Runs whose wake was lost": lambda: runs.wake_waiting(own_agents=agents().keys()),
    "questions whose time is over": asks.expire,
}


def timed(act: Callable[[], object]) -> float:
    began = perf_counter()
    act()
    return (perf_counter() - began) * 1000


if __name__ == "__main__":
    for sweep in SWEEPS.values():  # opens the connection
        sweep()
    json.dump({name: [timed(act) for _ in range(int(sys.argv[1]))] for name, act in SWEEPS.items()}, sys.stdout)
