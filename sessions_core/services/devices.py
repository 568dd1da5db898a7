"""Devices: the browsers and apps that a user has connected with. The only writer of Device."""

from datetime import timedelta
from typing import Any, Final

from django.db import connection

from sessions_core.protocol import text
from sessions_core.protocol.ids import DeviceId, UserId

LABEL_CHARACTERS: Final = 100
DEVICES_PER_USER: Final = 100  # the newest: a client may make up a new key each time it connects
WRITTEN_EVERY: Final = timedelta(minutes=1)  # a mass reconnect must not cost one write for each tab
# The NOT EXISTS keeps a recent row unlocked: the tabs of one Device reconnect together, and would wait for one another's commit.
_UPSERT: Final = """
    INSERT INTO device (user_id, key, label)
    SELECT %(user)s, %(key)s, %(label)s WHERE NOT EXISTS (
        SELECT 1 FROM device WHERE user_id = %(user)s AND key = %(key)s AND label = %(label)s
        AND last_seen_at > now() - %(every)s)
    ON CONFLICT (user_id, key) DO UPDATE SET label = excluded.label, last_seen_at = now()
    RETURNING xmax = 0 AS is_new
"""
# SKIP LOCKED: many Devices of a user may connect at once, and each would forget the same rows: they would wait in a circle.
_FORGET: Final = """
    DELETE FROM device WHERE id IN (SELECT id FROM device WHERE id IN (
        SELECT id FROM device WHERE user_id = %(user)s ORDER BY last_seen_at DESC, id DESC OFFSET %(most)s
    ) FOR UPDATE SKIP LOCKED)
"""


def mark_seen(user: UserId, device: DeviceId, *, label: str) -> None:
    """Records that the user is connected with this Device, and forgets the oldest of too many. Raises BadField, TooLarge for its
    label.
    """
    label = text.check(label.strip(), what="The device's label", limit=LABEL_CHARACTERS)
    with connection.cursor() as cursor:
        arguments: dict[str, Any] = {"user": user, "key": device, "label": label, "every": WRITTEN_EVERY}
        cursor.execute(_UPSERT, arguments)
        row = cursor.fetchone()
        if row is not None and row[0]:
            cursor.execute(_FORGET, {"user": user, "most": DEVICES_PER_USER})
