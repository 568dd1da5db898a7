"""Devices: the browsers and apps that a user has been seen with."""

from typing import Final

from django.db.models.functions import Now

from sessions_core.ids import DeviceId, UserId
from sessions_core.models import Device
from sessions_core.text import clean

LABEL_LIMIT: Final = 100


def seen(user: UserId, device: DeviceId, *, label: str) -> None:
    """Notes that the user is here with this Device. Raises BadField, TooLarge for its label."""
    label = clean(label.strip(), what="The device's label", limit=LABEL_LIMIT)
    Device.objects.update_or_create(user_id=user, key=device, defaults={"label": label, "last_seen_at": Now()})
