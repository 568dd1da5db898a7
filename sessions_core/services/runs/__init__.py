"""Runs: the executions of agents. The database owns them (docs/topics/runs.md); a worker is only woken.

request   for a posted Message, or once more for the same one
regenerate  another answer beside one that is there
turn      the answers of a Session come one after the other
queue     the Messages that wait for their turn;  queue_changes  what people do with them
steer     Messages that people give to a Run at work
attempt   a worker claims a Run, renews its lease by heartbeats, and hands it back
code_change  the agent has another version than when it began the Run
park      a Run begins to wait (`services.waiting` wakes it)
cancel    people stop Runs
blocked   a worker was killed because a Run blocked its event loop
end       the only way to a terminal state
spending  what a Run has spent, in its row
sweep     every worker ends, wakes and compacts the Runs that no other process looks after

Locks are taken in the order Run, then Session. A state moves by compare-and-set, and its Event is appended in the same
transaction. Callers write `runs.cancel(…)` and import no module of this folder.
"""

from sessions_core.services.runs.attempt import (
    ATTEMPTS,
    Heartbeat,
    claim,
    heartbeat,
    release,
    void_message,
)
from sessions_core.services.runs.blocked import end_blocked, hand_over
from sessions_core.services.runs.cancel import (
    Stopped,
    cancel,
    cancel_by_staff,
    have_others_come,
    interrupt,
    lock_active,
)
from sessions_core.services.runs.end import finish
from sessions_core.services.runs.park import park
from sessions_core.services.runs.queue import add_queued, goes_on
from sessions_core.services.runs.queue_changes import QueueChanged, edit_queued, resume_queue, withdraw
from sessions_core.services.runs.regenerate import regenerate
from sessions_core.services.runs.request import Requested, request, retry
from sessions_core.services.runs.steer import (
    Steering,
    add_steer,
    asking,
    find_steerable,
    lock_asking,
    lock_steerable,
    take_steers,
    taken_steers,
)
from sessions_core.services.runs.sweep import compact, end_lapsed, waits_longer_than, wake_waiting
from sessions_core.services.runs.turn import holds_turn, is_being_answered

__all__ = [
    "ATTEMPTS",
    "Heartbeat",
    "QueueChanged",
    "Requested",
    "Steering",
    "Stopped",
    "add_queued",
    "add_steer",
    "asking",
    "cancel",
    "cancel_by_staff",
    "claim",
    "compact",
    "edit_queued",
    "end_blocked",
    "end_lapsed",
    "find_steerable",
    "finish",
    "goes_on",
    "hand_over",
    "have_others_come",
    "heartbeat",
    "holds_turn",
    "interrupt",
    "is_being_answered",
    "lock_active",
    "lock_asking",
    "lock_steerable",
    "park",
    "regenerate",
    "release",
    "request",
    "resume_queue",
    "retry",
    "take_steers",
    "taken_steers",
    "void_message",
    "waits_longer_than",
    "wake_waiting",
    "withdraw",
]
