"""What the admin's pages share: rows are looked at, never edited; found by id or by word; counted in the query."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.contrib.auth.models import User
from django.db.models import Count, IntegerField, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from typing_extensions import override

from sessions_core.protocol.author import Author
from sessions_core.services import access


class LookingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django 5.2's cannot be subscripted when it runs
    """Rows that the engine owns: there to be seen. `ids_searched` are the uuid columns that a search for a whole id looks at."""

    ids_searched: ClassVar[tuple[str, ...]] = ()
    show_full_result_count = False  # a second count of the whole table, for a figure that nobody needs
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
        """Refuses NUL in a filter, as Django refuses other values that cannot be: the database would break on it."""
        if any("\x00" in value for name, value in request.GET.items() if name != SEARCH_VAR):
            raise IncorrectLookupParameters
        return super().get_changelist_instance(request)

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By id where the term is one, else by the words of `search_fields`."""
        try:
            sought = UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        found = Q()
        for column in self.ids_searched:
            found |= Q(**{column: sought})
        return queryset.filter(found), False


def counted(rows: QuerySet[Any], *, of: str) -> Coalesce:
    """How many of `rows` point with `of` at the row that is listed: a subquery, because joins would multiply each other."""
    mine = rows.filter(**{of: OuterRef("pk")}).order_by().values(of)
    return Coalesce(Subquery(mine.annotate(n=Count("*")).values("n"), output_field=IntegerField()), 0)


def staff(request: HttpRequest) -> Author:
    """Who acts from the admin."""
    user = request.user
    assert isinstance(user, User)  # the admin lets nobody else in
    return access.author(user)
