from datetime import timedelta
from typing import ClassVar, Final

from django.contrib import admin, messages
from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from typing_extensions import override

from sessions_core.admin.read_only import ReadOnlyAdmin, staff_author
from sessions_core.models import Run
from sessions_core.protocol.errors import Refusal
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.services import dispatch, runs

_WORKER: Final = ("worker", "worker_version", "agent_version")
_TIMES: Final = ("requested_at", "started_at", "claimed_at", "first_text_at")
_TOKENS: Final = ("input_tokens", "output_tokens", "cached_tokens")


class AgentFilter(admin.SimpleListFilter):
    """Filters by the agents on offer. Django's own filter would read the whole table for the agents ever used."""

    title = "agent"
    parameter_name = "agent"

    @override
    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:  # type: ignore[type-arg]
        return [(agent.name, agent.title) for agent in dispatch.dispatcher().agents()]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        offered = {str(name) for name, _ in self.lookup_choices}
        return queryset.filter(agent=self.value()) if self.value() in offered else queryset


class LeaseFilter(admin.SimpleListFilter):
    """Filters by whether the lease has lapsed, by the database's clock, as the claim does."""

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
class RunAdmin(ReadOnlyAdmin):
    """Runs with state, attempt, worker and lease. The action Stop appends the same Event as a participant's Stop."""

    list_display = ("short_id", "state", "attempt", "lease", "worker", "agent", "session", "requested_at", "ended_at")
    list_filter = ("state", AgentFilter, LeaseFilter, "requested_at")
    list_select_related = ("session",)
    search_fields = ("session__title", "worker", "agent", "error")
    id_search_fields: ClassVar = ("id", "session_id", "parent_id", "replies_to")
    ordering = ("-requested_at",)
    actions = ("stop",)
    fieldsets = (
        (None, {"fields": ("id", "session", "agent", "state", "requested_by", "replies_to", "parent")}),
        ("Failure", {"fields": ("error_code", "error", "exception_class")}),
        ("Waiting", {"fields": ("queued", "waits_on", "waiting", "resume_at")}),
        ("Worker", {"fields": ("attempt", "handed_back", "fence", *_WORKER, "lease", "lease_until", "woken_at")}),
        ("Times", {"fields": (*_TIMES, "worked_ms", "cancel_requested_at", "ended_at", "compacted_at")}),
        ("Spent", {"fields": ("step_count", "requests", *_TOKENS, "estimated", "cost_usd")}),
    )
    readonly_fields = ("lease",)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        left = ExpressionWrapper(F("lease_until") - Now(), output_field=DurationField())
        rows: QuerySet[Run] = super().get_queryset(request)
        return rows.annotate(lease_left=left)

    @admin.display(description="run", ordering="pk")
    def short_id(self, run: Run) -> str:
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
                runs.cancel_by_staff(SessionId(run.session_id), RunId(run.pk), by=staff_author(request))
            except Refusal as refusal:
                self.message_user(request, f"{self.short_id(run)}: {refusal.message}", messages.WARNING)
            else:
                self.log_change(request, run, "Stopped.")
                self.message_user(request, f"{self.short_id(run)} is being stopped.", messages.SUCCESS)

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sessions_core.change_run")
