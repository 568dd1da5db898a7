from collections.abc import Sequence
from typing import ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from typing_extensions import override

from sessions_core.admin.read_only import DeletesByAct, ReadOnlyAdmin
from sessions_core.models import ApiToken, Device, Participant
from sessions_core.protocol.ids import UserId
from sessions_core.services import people

admin.site.unregister(User)


@admin.register(User)
class UserAdmin(DeletesByAct, DjangoUserAdmin):  # type: ignore[type-arg]  # Django 5.2's cannot be subscripted when it runs
    """Users as Django shows them. Deleting one is an act of `services`: it passes their Sessions on."""

    @override
    def delete_model(self, request: HttpRequest, obj: User) -> None:
        people.delete_user(UserId(obj.pk))

    @override
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for key in list(queryset.values_list("pk", flat=True)):
            people.delete_user(UserId(key))

    @override
    def get_deleted_objects(
        self, objs: Sequence[User] | QuerySet[User], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Counts the rows that go with the users. Django would ask for the right to delete each of them by itself."""
        keys = [user.pk for user in objs]
        mine = Participant.objects.filter(user__in=keys)
        counts = {
            "users": len(keys),
            "sessions left": mine.exclude(role="owner").count(),
            "sessions passed on, or deleted where nobody else takes part": mine.filter(role="owner").count(),
            "devices": Device.objects.filter(user__in=keys).count(),
            "tokens": ApiToken.objects.filter(user__in=keys).count(),
        }
        return [str(user) for user in objs], counts, set(), []


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
