"""Runs: the executions of agents. The database owns them (docs/topics/runs.md); a worker is only woken.

request   for a posted Message, or once more for the same one
attempt   a worker claims a Run, renews its lease by heartbeats, and hands it back
park      a Run begins to wait (`services.waiting` wakes it)
cancel    people stop Runs
blocked   a worker was killed because a Run blocked its event loop
end       the only way to a terminal state
sweep     every worker ends, wakes and compacts the Runs that no other process looks after

Locks are taken in the order Run, then Session. A state moves by compare-and-set, and its Event is appended in the same
transaction. Callers write `runs.cancel(…)` and import no module of this folder.
"""

from sessions_core.services.runs.attempt import (
    ATTEMPTS,
    HEARTBEAT_S,
    LEASE_S,
    Heartbeat,
    claim,
    heartbeat,
    release,
)
from sessions_core.services.runs.blocked import end_blocked
from sessions_core.services.runs.cancel import Stopped, cancel, cancel_by_staff
from sessions_core.services.runs.end import finish
from sessions_core.services.runs.park import park
from sessions_core.services.runs.request import Requested, has_active, request, retry
from sessions_core.services.runs.sweep import compact, end_lapsed, waits_longer_than, wake_waiting

__all__ = [
    "ATTEMPTS",
    "HEARTBEAT_S",
    "LEASE_S",
    "Heartbeat",
    "Requested",
    "Stopped",
    "cancel",
    "cancel_by_staff",
    "claim",
    "compact",
    "end_blocked",
    "end_lapsed",
    "finish",
    "has_active",
    "heartbeat",
    "park",
    "release",
    "request",
    "retry",
    "waits_longer_than",
    "wake_waiting",
]
