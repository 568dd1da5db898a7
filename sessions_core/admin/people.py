from typing import ClassVar

from django.contrib import admin

from sessions_core.admin.read_only import ReadOnlyAdmin
from sessions_core.models import Device, Participant


@admin.register(Participant)
class ParticipantAdmin(ReadOnlyAdmin):
    """Participants: which user takes part in which Session, and how far they have read."""

    list_display = ("user", "role", "session", "read_seq", "joined_at")
    list_filter = ("role", "joined_at")
    list_select_related = ("user", "session")
    search_fields = ("user__username", "user__email", "session__title")
    id_search_fields: ClassVar = ("session_id",)
    ordering = ("-joined_at",)


@admin.register(Device)
class DeviceAdmin(ReadOnlyAdmin):
    """Devices: the browsers and apps of users, and when they last connected."""

    list_display = ("label_or_key", "user", "first_seen_at", "last_seen_at")
    list_filter = ("last_seen_at", "first_seen_at")
    list_select_related = ("user",)
    search_fields = ("label", "user__username", "user__email")
    id_search_fields: ClassVar = ("key",)
    ordering = ("-last_seen_at",)
    fields = ("user", "label", "key", "first_seen_at", "last_seen_at")

    @admin.display(description="device", ordering="label")
    def label_or_key(self, device: Device) -> str:
        return str(device)
