"""The provider of the measures that ask a model: the tests' fake one, in a process of its own."""

import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.systems import started
from tests.support.machine import Machine, free_port
from tests.support.waiting import until

PORT: Final = free_port()
MODEL_URL: Final = f"http://127.0.0.1:{PORT}/v1"


@contextmanager
def provider(machine: Machine) -> Iterator[None]:
    with started(machine, sys.executable, "-m", "tests.support.fake_provider", str(PORT)):
        until(_is_ready)
        yield


def _is_ready() -> bool:
    try:
        with urllib.request.urlopen(f"{MODEL_URL}/seen") as response:
            return bool(response.status == 200)
    except OSError:
        return False
