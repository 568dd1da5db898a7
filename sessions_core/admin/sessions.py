from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe
from typing_extensions import override

from sessions_core.admin.events import events_page
from sessions_core.admin.read_only import DeletesByAct, ReadOnlyAdmin, count_of
from sessions_core.models import Event, Participant, Run, Session
from sessions_core.protocol import run_states
from sessions_core.protocol.ids import SessionId
from sessions_core.services import deletion


@admin.register(Session)
class SessionAdmin(DeletesByAct, ReadOnlyAdmin):
    """Sessions, each with links to its Events, Runs and Participants. Deleting one also removes it from open browsers."""

    list_display = (
        "__str__",
        "owner",
        "agent",
        "policy",
        "head",
        "people",
        "runs",
        "at_work",
        "active_at",
        "archived_at",
    )
    list_filter = ("policy", ("archived_at", admin.EmptyFieldListFilter), "active_at", "created_at")
    search_fields = ("title", "participants__user__username", "participants__user__email")
    id_search_fields: ClassVar = ("id",)
    ordering = ("-active_at",)
    fields = (
        *("id", "title", "owner", "agent", "policy", "epoch", "head"),
        *("people", "runs", "at_work", "created_at", "active_at", "archived_at"),
    )
    readonly_fields = ("owner", "people", "runs", "at_work")
    change_form_template = "admin/sessions_core/session/change_form.html"

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        rows: QuerySet[Session] = super().get_queryset(request).filter(deleted_at=None)
        owners = Participant.objects.filter(session=OuterRef("pk"), role="owner")
        return rows.annotate(
            owner_name=Subquery(owners.values("user__username")[:1]),
            people_count=count_of(Participant.objects.all(), of="session"),
            runs_count=count_of(Run.objects.all(), of="session"),
            active_count=count_of(Run.objects.filter(state__in=run_states.ACTIVE), of="session"),
        )

    @admin.display(empty_value="–")
    def owner(self, session: Session) -> str | None:
        owner: str | None = _annotated(session, "owner_name")
        return owner

    @admin.display
    def people(self, session: Session) -> int:
        return int(_annotated(session, "people_count"))

    @admin.display
    def runs(self, session: Session) -> int:
        return int(_annotated(session, "runs_count"))

    @admin.display
    def at_work(self, session: Session) -> int:
        return int(_annotated(session, "active_count"))

    @override
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.events_view))
        events = path("<uuid:session>/events/", view, name="sessions_core_session_events")
        return [events, *super().get_urls()]

    def events_view(self, request: HttpRequest, session: SessionId) -> HttpResponse:
        """Renders the log of one Session. Event has a composite primary key, which Django's admin does not support."""
        row = self.get_object(request, str(session))
        if row is None or not self.has_view_permission(request, row):
            raise Http404
        return events_page(request, row, self.admin_site.each_context(request))

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("sessions_core.delete_session")

    @override
    def delete_model(self, request: HttpRequest, obj: Session) -> None:
        deletion.delete_by_staff(SessionId(obj.pk))

    @override
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        for key in list(queryset.values_list("pk", flat=True)):
            deletion.delete_by_staff(SessionId(key))

    @override
    def get_deleted_objects(
        self, objs: Sequence[Session] | QuerySet[Session], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Counts the rows that are deleted too. Django would fetch every Event in order to list it."""
        keys = [session.pk for session in objs]
        counts = {
            "sessions": len(keys),
            "events": Event.objects.filter(session__in=keys).count(),
            "runs": Run.objects.filter(session__in=keys).count(),
            "participants": Participant.objects.filter(session__in=keys).count(),
        }
        return [f"{session} ({session.pk})" for session in objs], counts, set(), []


def _annotated(session: Session, name: str) -> Any:  # noqa: ANN401  # annotated by get_queryset
    return getattr(session, name, None)
