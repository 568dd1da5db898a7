"""The hub: which Sessions this process follows, and for whom.

One membership in the Session's group, one Feed and one read of the log at a time for each Session, however many Connections
follow it.

May import `log`, `hints`, `bridge`, `machines` and `protocol`. It knows Subscriptions, never Connections: those are in `live`.

hub               joins groups, reads the log, checks the tails
followed_session  one Session that is followed
"""

from sessions_core.hub.followed_session import Followed
from sessions_core.hub.hub import Hub

__all__ = ["Followed", "Hub"]
