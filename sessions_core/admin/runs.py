from datetime import timedelta
from typing import ClassVar

from django.contrib import admin, messages
from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from typing_extensions import override

from sessions_core.admin.read_only import LookingAdmin, staff
from sessions_core.models import Run
from sessions_core.protocol.errors import Refusal
from sessions_core.protocol.ids import RunId
from sessions_core.services import dispatch, runs


class AgentFilter(admin.SimpleListFilter):
    """The agents on offer: a list of all that were ever used would read the whole table."""

    title = "agent"
    parameter_name = "agent"

    @override
    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:  # type: ignore[type-arg]
        return [(agent.name, agent.title) for agent in dispatch.dispatcher().agents()]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        known = {str(name) for name, _ in self.lookup_choices}
        return queryset.filter(agent=self.value()) if self.value() in known else queryset


class LeaseFilter(admin.SimpleListFilter):
    """By the database's clock, as the engine sees it."""

    title = "lease"
    parameter_name = "lease"

    @override
    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:  # type: ignore[type-arg]
        return [("held", "held"), ("lapsed", "lapsed")]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        match self.value():
            case "held":
                return queryset.filter(lease_until__gte=Now())
            case "lapsed":
                return queryset.filter(lease_until__lt=Now())
            case _:
                return queryset


@admin.register(Run)
class RunAdmin(LookingAdmin):
    """Runs with state, attempt, worker and lease. One action: Stop, which is the same line in the log as a person's."""

    list_display = ("short", "state", "attempt", "lease", "worker", "agent", "session", "requested_at", "ended_at")
    list_filter = ("state", AgentFilter, LeaseFilter, "requested_at")
    list_select_related = ("session",)
    search_fields = ("session__title", "worker", "agent", "error")
    ids_searched: ClassVar = ("id", "session_id", "parent_id", "replies_to")
    ordering = ("-requested_at",)
    actions = ("stop",)
    fieldsets = (
        (None, {"fields": ("id", "session", "agent", "state", "error", "requested_by", "replies_to", "parent")}),
        ("Worker", {"fields": ("attempt", "handed_back", "fence", "worker", "lease", "lease_until", "woken_at")}),
        ("Times", {"fields": ("requested_at", "started_at", "cancel_requested_at", "ended_at", "compacted_at")}),
    )
    readonly_fields = ("lease",)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        left = ExpressionWrapper(F("lease_until") - Now(), output_field=DurationField())
        rows: QuerySet[Run] = super().get_queryset(request)
        return rows.annotate(lease_left=left)

    @admin.display(description="run", ordering="pk")
    def short(self, run: Run) -> str:
        return str(run.pk)[:8]

    @admin.display(ordering="lease_until", empty_value="–")
    def lease(self, run: Run) -> str | None:
        left: timedelta | None = getattr(run, "lease_left", None)
        if left is None:
            return None
        seconds = left.total_seconds()
        return f"{seconds:.1f} s left" if seconds >= 0 else f"lapsed {-seconds:.1f} s ago"

    @admin.action(description="Stop selected Runs", permissions=["stop"])
    def stop(self, request: HttpRequest, chosen: QuerySet[Run]) -> None:
        for run in chosen.order_by("requested_at"):
            try:
                runs.cancel_by_staff(RunId(run.pk), by=staff(request))
            except Refusal as refusal:
                self.message_user(request, f"{self.short(run)}: {refusal.message}", messages.WARNING)
            else:
                self.log_change(request, run, "Stopped.")
                self.message_user(request, f"{self.short(run)} is being stopped.", messages.SUCCESS)

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sessions_core.change_run")
