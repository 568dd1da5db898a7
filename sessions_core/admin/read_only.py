"""Shared by the admin's pages: a read-only ModelAdmin, deletion by an act, search by id, and counts of related rows."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.contrib.auth.models import User
from django.db.models import Count, IntegerField, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from typing_extensions import override

from sessions_core.protocol.author import Author
from sessions_core.services import access


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django 5.2's cannot be subscripted when it runs
    """Shows rows without letting anybody edit them. A search for a whole uuid looks into the columns `id_search_fields`."""

    id_search_fields: ClassVar[tuple[str, ...]] = ()
    show_full_result_count = False  # it would count the whole table a second time
    list_per_page = 50

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @override
    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Refuses NUL in a filter, as Django refuses other impossible values: PostgreSQL would raise an error."""
        if any("\x00" in value for name, value in request.GET.items() if name != SEARCH_VAR):
            raise IncorrectLookupParameters
        return super().get_changelist_instance(request)

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Searches by id when the term is one, otherwise in `search_fields`."""
        try:
            key = UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        matches = Q()
        for column in self.id_search_fields:
            matches |= Q(**{column: key})
        return queryset.filter(matches), False


class DeletesByAct(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    """Deletes by an act of `services`, which `delete_model` and `delete_queryset` call."""

    @override
    @method_decorator(csrf_protect)
    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Deletes without Django's transaction: the act opens durable ones of its own, and sends hints after their commits."""
        response: HttpResponse = self._delete_view(  # type: ignore[attr-defined]  # Django's own, not in the stubs
            request, object_id, extra_context
        )
        return response


def count_of(rows: QuerySet[Any], *, of: str) -> Coalesce:
    """Counts the `rows` whose foreign key `of` is the listed row. A subquery, because several joins multiply counts."""
    mine = rows.filter(**{of: OuterRef("pk")}).order_by().values(of)
    return Coalesce(Subquery(mine.annotate(n=Count("*")).values("n"), output_field=IntegerField()), 0)


def staff_author(request: HttpRequest) -> Author:
    """Returns the member of staff who sent the request."""
    user = request.user
    assert isinstance(user, User)  # the admin admits nobody else
    return access.author(user)
