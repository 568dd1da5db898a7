"""The measures, each a function of a running Machine and a number of rounds. A new one is added to ALL.

fan_out      from the publisher to the readers: latency and throughput, beside the peers
log          appends, cold opens, deltas of a long Message
connections  many of them: memory, and a mass reconnect
stop         how soon it stops
streaming    many Runs at once in one worker, and what a delta costs it
reactions    how soon Runs react to posts, answers and Stop
steps        durable steps, beside DBOS
takeover     how soon the Runs of a killed worker go on
waiting      what 10,000 waiting Runs cost
large        what acts cost beside a million Events
followed     one web process that follows 10,000 Sessions
figures      what several of them need
result       what each of them returns

Each gets a machine with SETTINGS; where SPECIAL names it, with some of its own.
"""

from collections.abc import Callable
from typing import Final

from bench.measures.connections import herd, memory
from bench.measures.fan_out import append_to_reader, fan_out, fan_out_thrice, saturation
from bench.measures.followed import followed
from bench.measures.large import large
from bench.measures.log import appends, cold_open, delta_cost
from bench.measures.reactions import answered, first_text, stop_connection, wake
from bench.measures.result import Result
from bench.measures.steps import steps
from bench.measures.stop import stop
from bench.measures.streaming import delta_worker, streaming, streaming_model
from bench.measures.takeover import takeover
from bench.measures.waiting import waiting
from bench.provider import MODEL_URL
from bench.systems import SETTINGS as SETTINGS_MODULE
from tests.support.machine import Machine

ALL: Final[dict[str, Callable[[Machine, int], Result]]] = {
    "fan_out": fan_out,
    "fan_out_thrice": fan_out_thrice,
    "saturation": saturation,
    "append_to_reader": append_to_reader,
    "appends": appends,
    "herd": herd,
    "cold_open": cold_open,
    "delta_cost": delta_cost,
    "memory": memory,
    "stop": stop,
    "streaming": streaming,
    "streaming_model": streaming_model,
    "stop_connection": stop_connection,
    "wake": wake,
    "takeover": takeover,
    "first_text": first_text,
    "steps": steps,
    "answered": answered,
    "delta_worker": delta_worker,
    "waiting": waiting,
    "large": large,
    "followed": followed,
}

_MODEL: Final = {"CHAT_MODEL": "fake", "CHAT_MODEL_URL": MODEL_URL}
SETTINGS: Final = {
    "DJANGO_SETTINGS_MODULE": SETTINGS_MODULE,
    "CONNECTIONS_PER_USER": "5000",
    "SCRIPT_AGENT": "1",
    "COMPACT_AFTER_S": "3600",
    "WORKER_RUNS": "400",
}
SPECIAL: Final = {"streaming_model": _MODEL, "stop_connection": _MODEL, "delta_worker": {"DELTA_MS": "0"}}
