from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from sessions_core.admin.read_only import ReadOnlyAdmin
from sessions_core.models import ApiToken
from sessions_core.services import tokens


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Bearer tokens. People issue them in the settings page or by `manage.py issue_token`; here they are revoked."""

    list_display = ("__str__", "user", "label", "can_write", "works", "created_at", "last_used_at", "revoked_at")
    list_filter = ("can_write", ("revoked_at", admin.EmptyFieldListFilter), "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email", "label", "hint")
    ordering = ("-created_at",)
    fields = ("user", "label", "hint", "can_write", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    @admin.display(boolean=True)
    def works(self, token: ApiToken) -> bool:
        return token.revoked_at is None and token.user.is_active

    @admin.action(description="Revoke selected tokens", permissions=["revoke"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        count = 0
        for token in chosen.filter(revoked_at=None):
            tokens.revoke(token)
            self.log_change(request, token, "Revoked.")
            count += 1
        self.message_user(request, f"{count} revoked; what was connected with them is cut off.", messages.SUCCESS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sessions_core.change_apitoken")
