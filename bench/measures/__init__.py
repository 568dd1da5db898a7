"""The measures, each a function of a running Machine and a number of rounds. A new one is added to ALL.

fan_out      from the publisher to the readers: latency and throughput, beside the peers
log          appends, cold opens, deltas of a long Message
connections  many of them: memory, and a mass reconnect
stop         how soon it stops
large        what acts cost beside a million Events
followed     one web process that follows 10,000 Sessions
result       what each of them returns
"""

from collections.abc import Callable
from typing import Final

from bench.measures.connections import herd, memory
from bench.measures.fan_out import append_to_reader, fan_out, fan_out_thrice, saturation
from bench.measures.followed import followed
from bench.measures.large import large
from bench.measures.log import appends, cold_open, delta_cost
from bench.measures.result import Result
from bench.measures.stop import stop
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
    "large": large,
    "followed": followed,
}
