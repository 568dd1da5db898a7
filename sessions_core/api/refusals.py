"""Answers every exception in one form: `{"error": {"code", "message", "retry"}}`."""

import math
from collections.abc import Callable
from typing import Any, Final

import msgspec
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from sessions_core.api.commands import JSON
from sessions_core.protocol.errors import BadField, Busy, Forbidden, NotFound, NotSignedIn, Refusal, TooLarge
from sessions_core.services.failures import refusal_of

_ENCODER: Final = msgspec.json.Encoder()
_BUSY_MS: Final = 1000  # Retry-After of a `busy` that does not say when
_FIELD_OF_BODY: Final = 2  # ninja locates a wrong field as ("body", name of our parameter, field …)


def to_response(refusal: Refusal) -> HttpResponse:
    """Returns the refusal as a response, with Retry-After where waiting helps."""
    error: dict[str, object] = {"code": refusal.code, "message": refusal.message, "retry": refusal.retry}
    if refusal.fields:
        error["fields"] = refusal.fields
    response = HttpResponse(_ENCODER.encode({"error": error}), status=refusal.status, content_type=JSON)
    wait_ms = _BUSY_MS if refusal.retry_after_ms is None and isinstance(refusal, Busy) else refusal.retry_after_ms
    if wait_ms is not None:
        response["Retry-After"] = str(math.ceil(wait_ms / 1000))
    if isinstance(refusal, NotSignedIn):
        response["WWW-Authenticate"] = "Bearer"
    return response


def add_handlers(api: NinjaAPI) -> None:
    """Registers a handler for each kind of exception."""
    handlers: dict[type[Exception], Callable[[Any], Refusal]] = {
        NotFound: lambda _: NotFound(),  # the same body always: a sentence would reveal whether the Session exists
        ValidationError: _of_fields,
        AuthenticationError: lambda _: NotSignedIn(),
        HttpError: _of_ninja,
        Http404: lambda _: NotFound(),
        PermissionDenied: lambda _: Forbidden(),
        RequestDataTooBig: lambda _: TooLarge(),
        SuspiciousOperation: lambda _: BadField("That request cannot be read."),
        Exception: refusal_of,
    }
    for kind, to_refusal in handlers.items():
        api.add_exception_handler(kind, _handler(to_refusal))


def _of_fields(error: ValidationError) -> Refusal:
    """Names the first wrong field. A malformed id in the address is an id that does not exist."""
    if any(wrong["loc"][0] == "path" for wrong in error.errors):
        return NotFound()
    wrong = error.errors[0]
    where = [str(step) for step in wrong["loc"][_FIELD_OF_BODY if wrong["loc"][0] == "body" else 1 :]]
    name = ".".join(where) or "The body"
    return BadField(f"{name}: {wrong['msg'].removeprefix('Value error, ')}.")


def _handler(to_refusal: Callable[[Any], Refusal]) -> Callable[[HttpRequest, Any], HttpResponse]:
    return lambda _request, error: to_response(to_refusal(error))


def _of_ninja(error: HttpError) -> Refusal:
    """Ninja could not read the request. Its HttpError has the Refusal of our parser as its cause, if that raised one."""
    return error.__cause__ if isinstance(error.__cause__, Refusal) else BadField(f"{error}.")
