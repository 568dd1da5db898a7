"""The admin: staff read the rows of Sessions, Runs, questions, Participants, Devices and tokens, and change them by acts of
`services` only.

May import `services` and all below it. A new page is a ReadOnlyAdmin in the module of its noun; its actions call an act.
"""

from sessions_core.admin.asks import AskAdmin
from sessions_core.admin.people import DeviceAdmin, ParticipantAdmin, UserAdmin
from sessions_core.admin.runs import RunAdmin
from sessions_core.admin.sessions import SessionAdmin
from sessions_core.admin.tokens import ApiTokenAdmin

__all__ = ["ApiTokenAdmin", "AskAdmin", "DeviceAdmin", "ParticipantAdmin", "RunAdmin", "SessionAdmin", "UserAdmin"]
