"""The tables. Each has one writer: `log` writes Event and `Session.head`; in `services`, `sessions` writes Participant and the
rest of Session, `runs` Run and NeedlessStop, `queue` QueuedMessage, `steering` Steer, `asks` Ask and Consent, `steps` Step, Blob
and AgentState, `signals` Signal, `workers` Worker, `devices` Device, and `tokens` ApiToken. `deletion` and `pruning` only remove
rows.

May import `protocol`. A new table goes into the module of what it belongs to, and into `services/deletion`.
"""

from sessions_core.models.asks import Ask, Consent, Signal
from sessions_core.models.events import Event
from sessions_core.models.fields import KeptJSONField
from sessions_core.models.people import ApiToken, Device
from sessions_core.models.runs import NeedlessStop, QueuedMessage, Run, Steer, Worker
from sessions_core.models.sessions import Participant, Session
from sessions_core.models.steps import AgentState, Blob, Step

__all__ = [
    "AgentState",
    "ApiToken",
    "Ask",
    "Blob",
    "Consent",
    "Device",
    "Event",
    "KeptJSONField",
    "NeedlessStop",
    "Participant",
    "QueuedMessage",
    "Run",
    "Session",
    "Signal",
    "Steer",
    "Step",
    "Worker",
]
