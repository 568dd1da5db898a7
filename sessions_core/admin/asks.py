from typing import ClassVar

from django.contrib import admin

from sessions_core.admin.read_only import ReadOnlyAdmin
from sessions_core.models import Ask


@admin.register(Ask)
class AskAdmin(ReadOnlyAdmin):
    """The questions of Runs, and what has become of them."""

    list_display = ("title", "kind", "state", "end", "session", "answered_by", "opened_at", "expires_at", "closed_at")
    list_filter = ("state", "kind", "opened_at")
    list_select_related = ("session", "answered_by")
    search_fields = ("title", "session__title", "tool")
    id_search_fields: ClassVar = ("id", "session_id", "run_id")
    ordering = ("-opened_at",)
    fields = (
        *("id", "session", "run", "key", "kind", "title", "schema", "responders", "tool", "call"),
        *("state", "end", "value", "message", "answered_by", "opened_at", "expires_at", "closed_at"),
    )
