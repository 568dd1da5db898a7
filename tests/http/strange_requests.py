"""Requests to the pages as nobody means them: to every address of the URL configuration, with the names that its view reads."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode
from uuid import UUID

from django.urls import URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from hypothesis import strategies as st

from chatapp.pages import forms

_READ: Final = re.compile(r'\b(?:GET|POST)\.get\(\s*"(\w+)"')
_ARGUMENT: Final = re.compile(r"<(?:(\w+):)?(\w+)>")

_OFFSETS: Final = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_MOMENTS: Final = st.datetimes(timezones=_OFFSETS).map(lambda moment: moment.isoformat())  # PostgreSQL takes 16 hours
_EDGES: Final = [
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-01-01T00:00Z_",
    f"{2**53}",
    "9" * 5000,
    "\u0663",
]
_SECRETS: Final = st.from_regex(r"[0-9a-z]{1,14}\.[0-9a-z]{1,8}-[0-9a-f]{1,40}", fullmatch=True)
_NUMBERS: Final = st.integers().map(str)
VALUES: Final = st.sampled_from(_EDGES) | _MOMENTS | st.text(max_size=20) | _NUMBERS | st.uuids().map(str) | _SECRETS
HEADERS: Final = st.dictionaries(
    st.sampled_from(
        ["HX-Request", "HX-Current-URL", "Accept", "Accept-Language", "Cookie", "Referer", "Origin", "Range"]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30)
    | st.sampled_from(["true", "*/*", "application/json"]),
    max_size=3,
)
METHODS: Final = st.sampled_from(["GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
TYPES: Final = st.sampled_from(
    [
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/json",
        "text/plain; charset=nowhere",
        "",
        "\xff/x",
    ]
)


def routes(resolver: URLResolver | None = None, above: str = "") -> Iterator[tuple[str, Callable[..., object]]]:
    """Yields route and view of every page, as `s/<uuid:session>/`: all of the URL configuration but the API (see
    test_api_fuzz.py), health, whose 503 is an answer, and the patterns that catch the rest.
    """
    for found in (resolver or get_resolver()).url_patterns:
        if isinstance(found, URLResolver):
            yield from routes(found, above + str(found.pattern))
        elif isinstance(found.pattern, RoutePattern):
            route = above + str(found.pattern)
            if not route.startswith(("api/", "health/")):
                yield route, found.callback


def names(view: Callable[..., object]) -> list[str]:
    """Returns the names that the module of the view reads from a request, those of our form fields, and the admin's."""
    source = Path(inspect.getsourcefile(inspect.unwrap(view)) or "").read_text()
    fields = {name for kind in vars(forms).values() for name in getattr(kind, "base_fields", ())}
    admins = {"q", "o", "p", "e", "all", "state__exact", "action", "_selected_action", "_to_field"}
    return sorted({*_READ.findall(source)} or admins | fields | {"next"})


@st.composite
def addresses(draw: st.DrawFn, route: str, session: UUID) -> str:
    """Returns an address of the route. Half of the ids are the Session's."""
    kinds: Mapping[str | None, st.SearchStrategy[Any]] = {
        "uuid": st.just(session) | st.uuids(),
        "int": st.integers(0) | st.integers(2**62),
        "path": st.just(session) | VALUES,
    }
    return "/" + _ARGUMENT.sub(lambda found: quote(str(draw(kinds.get(found[1], VALUES))), safe=""), route)


def fields(view: Callable[..., object]) -> st.SearchStrategy[str]:
    """Returns queries, or forms as they are sent, with names that the view reads."""
    return st.dictionaries(st.sampled_from(names(view)), VALUES, max_size=4).map(urlencode)


def bodies(view: Callable[..., object]) -> st.SearchStrategy[tuple[bytes, str]]:
    """Returns bodies with their content types: forms, and what is none."""
    form = fields(view).map(lambda sent: (sent.encode(), "application/x-www-form-urlencoded"))
    return form | st.tuples(st.binary(max_size=60), TYPES)
