"""The NinjaAPI: its routers, its authentication, its JSON parser and renderer, and its error responses."""

from typing import Final

import msgspec
from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from typing_extensions import override

from sessions_core.api import agents, asks, history, messages, queue, runs, sessions, timeline
from sessions_core.api.authentication import BearerToken, SignedInBrowser
from sessions_core.api.refusals import add_handlers
from sessions_core.protocol.errors import BadField, TooLarge

JSON_BODY_BYTES: Final = 512 * 1024  # bytes; the longest message, were each of its characters escaped as two \uXXXX
_ENCODER: Final = msgspec.json.Encoder()
_DESCRIPTION: Final = """
Conversations that outlive every connection. The same acts and refusals as on the WebSocket.

A refusal is `{"error": {"code", "message", "retry"}}`. Scripts send `Authorization: Bearer <token>`; a token comes from
`manage.py issue_token <username>`. Commands take an `Idempotency-Key`: repeat one as often as the network demands.
"""


class StrictJson(Parser):
    """Parses one JSON object of at most JSON_BODY_BYTES. Refuses lone surrogates and infinite numbers, as PostgreSQL does."""

    @override
    def parse_body(self, request: HttpRequest) -> dict[str, object]:
        if len(request.body) > JSON_BODY_BYTES:
            raise TooLarge(f"The body has {len(request.body):,} bytes; at most {JSON_BODY_BYTES:,} are possible.")
        try:
            body: object = msgspec.json.decode(request.body)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise BadField("The body is not JSON, or holds half of a surrogate pair.") from None
        if not isinstance(body, dict):  # of a str, ninja would read the methods as fields
            raise BadField("The body must be one JSON object.")
        return body


class CompactJson(BaseRenderer):
    """Renders JSON as UTF-8 without spaces, as on the socket."""

    media_type = "application/json"

    @override
    def render(self, request: HttpRequest, data: object, *, response_status: int) -> bytes:
        return _ENCODER.encode(data)


def _build() -> NinjaAPI:
    built = NinjaAPI(
        title="Durable sessions",
        version="1",
        description=_DESCRIPTION,
        auth=[BearerToken(), SignedInBrowser()],
        parser=StrictJson(),
        renderer=CompactJson(),
        urls_namespace="api",
    )
    built.add_router("/sessions", sessions.router)
    built.add_router("/sessions", history.router)
    built.add_router("/sessions", timeline.router)
    built.add_router("/sessions", messages.router)
    built.add_router("/sessions", queue.router)
    built.add_router("/sessions", runs.router)
    built.add_router("/sessions", asks.router)
    built.add_router("/agents", agents.router)
    add_handlers(built)
    return built


api: Final = _build()
