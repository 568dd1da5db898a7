"""Devices: the browsers and apps that a user has been seen with. The only writer of Device."""

from datetime import timedelta
from typing import Any, Final

from django.db import connection

from sessions_core.protocol.ids import DeviceId, UserId
from sessions_core.protocol.text import clean

LABEL_LIMIT: Final = 100
NOTED_EVERY: Final = timedelta(minutes=1)  # a herd that reconnects must not cost one write for each tab
# Where nothing is new nothing is locked: the tabs of one Device come back together, and would wait for one another's commit.
_SEEN: Final = """
    INSERT INTO device (user_id, key, label)
    SELECT %(user)s, %(key)s, %(label)s WHERE NOT EXISTS (
        SELECT 1 FROM device WHERE user_id = %(user)s AND key = %(key)s AND label = %(label)s
        AND last_seen_at > now() - %(every)s)
    ON CONFLICT (user_id, key) DO UPDATE SET label = excluded.label, last_seen_at = now()
"""


def seen(user: UserId, device: DeviceId, *, label: str) -> None:
    """Notes that the user is here with this Device. Raises BadField, TooLarge for its label."""
    label = clean(label.strip(), what="The device's label", limit=LABEL_LIMIT)
    with connection.cursor() as cursor:
        arguments: dict[str, Any] = {"user": user, "key": device, "label": label, "every": NOTED_EVERY}
        cursor.execute(_SEEN, arguments)
