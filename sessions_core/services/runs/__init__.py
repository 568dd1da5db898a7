"""Runs: one execution of an agent each. The database owns them; a worker is only woken.

request   a Run is asked for, with the Message it answers or once more
attempt   a worker claims it, renews the lease by heartbeats, hands it back
cancel    somebody stops it
end       the one way to a terminal state
sweep     every worker ends, wakes and compacts what nobody else does

Locks are taken in the order Run, then Session. A state moves by compare-and-set, and its Event is appended in the same
transaction. May import what `services` may; callers write `runs.cancel(…)` and import no module of this folder.
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
from sessions_core.services.runs.cancel import Stopped, cancel, stop
from sessions_core.services.runs.end import finish
from sessions_core.services.runs.request import Requested, has_active, lock_session, request, retry, running
from sessions_core.services.runs.sweep import compact, end_lapsed, wake_waiting

__all__ = [
    "ATTEMPTS",
    "HEARTBEAT_S",
    "LEASE_S",
    "Heartbeat",
    "Requested",
    "Stopped",
    "cancel",
    "claim",
    "compact",
    "end_lapsed",
    "finish",
    "has_active",
    "heartbeat",
    "lock_session",
    "release",
    "request",
    "retry",
    "running",
    "stop",
    "wake_waiting",
]
