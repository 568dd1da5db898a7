"""The hub: which Sessions this process follows, and for which Subscriptions.

However many Connections follow a Session, the process is once a member of its group, has one Feed for it, and reads its log in
one place at a time.

May import `log`, `hints`, `bridge`, `machines` and `protocol`. It knows Subscriptions, never Connections: those are in `live`.
How readers are served belongs to `machines.feed`; what is added here does I/O for it.

hub               joins groups, reads the log, compares with the heads in the database
followed_session  the state of one Session that is followed
"""

from sessions_core.hub.followed_session import FollowedSession
from sessions_core.hub.hub import Hub

__all__ = ["FollowedSession", "Hub"]
