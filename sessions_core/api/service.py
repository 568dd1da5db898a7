"""The API put together: its routes, who may call, how it reads and writes JSON, and how it refuses."""

from typing import Final

import msgspec
from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from typing_extensions import override

from sessions_core.api import agents, history, messages, runs, sessions, timeline
from sessions_core.api.authentication import BearerToken, SignedInBrowser
from sessions_core.api.refusals import handle_all
from sessions_core.protocol.errors import BadField, TooLarge

BODY_LIMIT: Final = 512 * 1024  # bytes; the longest message, if every character of it were escaped as two \uXXXX
_ENCODER: Final = msgspec.json.Encoder()
_DESCRIPTION: Final = """
Conversations that outlive every connection. The same acts and refusals as on the WebSocket.

A refusal is `{"error": {"code", "message", "retry"}}`. Scripts send `Authorization: Bearer <token>`; a token comes from
`manage.py issue_token <username>`. Commands take an `Idempotency-Key`: repeat one as often as the network demands.
"""


class StrictJson(Parser):
    """JSON that the log can hold: UTF-8, whole characters, finite numbers, and no more than BODY_LIMIT."""

    @override
    def parse_body(self, request: HttpRequest) -> dict[str, object]:
        if len(request.body) > BODY_LIMIT:
            raise TooLarge(f"The body has {len(request.body):,} bytes; at most {BODY_LIMIT:,} are possible.")
        try:
            read: object = msgspec.json.decode(request.body)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise BadField("The body is not JSON, or holds half of a surrogate pair.") from None
        if not isinstance(read, dict):  # ninja would look for fields among a text's methods
            raise BadField("The body must be one JSON object.")
        return read


class CompactJson(BaseRenderer):
    """UTF-8 without blanks, as on the socket."""

    media_type = "application/json"

    @override
    def render(self, request: HttpRequest, data: object, *, response_status: int) -> bytes:
        return _ENCODER.encode(data)


def _made() -> NinjaAPI:
    made = NinjaAPI(
        title="Durable sessions",
        version="1",
        description=_DESCRIPTION,
        auth=[BearerToken(), SignedInBrowser()],
        parser=StrictJson(),
        renderer=CompactJson(),
        urls_namespace="api",
    )
    made.add_router("/sessions", sessions.router)
    made.add_router("/sessions", history.router)
    made.add_router("/sessions", timeline.router)
    made.add_router("/sessions", messages.router)
    made.add_router("/sessions", runs.router)
    made.add_router("/agents", agents.router)
    handle_all(made)
    return made


api: Final = _made()
