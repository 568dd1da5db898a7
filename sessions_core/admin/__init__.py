"""The admin: to look into Sessions, Runs, Participants, Devices and tokens. What the engine owns is read there, and moved
by acts only.
"""

from sessions_core.admin.people import DeviceAdmin, ParticipantAdmin
from sessions_core.admin.runs import RunAdmin
from sessions_core.admin.sessions import SessionAdmin
from sessions_core.admin.tokens import ApiTokenAdmin

__all__ = ["ApiTokenAdmin", "DeviceAdmin", "ParticipantAdmin", "RunAdmin", "SessionAdmin"]
