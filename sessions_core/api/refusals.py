"""Answers every exception in one form: `{"error": {"code", "message", "retry"}}`."""

import logging
import math
from collections.abc import Callable
from typing import Any, Final

import msgspec
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from sessions_core.api.commands import JSON
from sessions_core.protocol.errors import BadField, Broken, Busy, Forbidden, NotFound, NotSignedIn, Refusal, TooLarge

logger = logging.getLogger(__name__)

_ENCODER: Final = msgspec.json.Encoder()
_FIELD_OF_BODY: Final = 2  # ninja locates a wrong field as ("body", name of our parameter, field …)


def to_response(refusal: Refusal) -> HttpResponse:
    """Returns the refusal as a response, with Retry-After where waiting helps."""
    error = {"code": refusal.code, "message": refusal.message, "retry": refusal.retry}
    response = HttpResponse(_ENCODER.encode({"error": error}), status=refusal.status, content_type=JSON)
    if refusal.retry_after_ms is not None:
        response["Retry-After"] = str(math.ceil(refusal.retry_after_ms / 1000))
    if isinstance(refusal, NotSignedIn):
        response["WWW-Authenticate"] = "Bearer"
    return response


def add_handlers(api: NinjaAPI) -> None:
    """Registers a handler for each kind of exception."""
    handlers: dict[type[Exception], Callable[[Any], Refusal]] = {
        Refusal: lambda refusal: refusal,
        NotFound: lambda _: NotFound(),  # the same body always: a sentence would reveal whether the Session exists
        ObjectDoesNotExist: lambda _: NotFound(),  # deleted concurrently
        ValidationError: _of_fields,
        AuthenticationError: lambda _: NotSignedIn(),
        HttpError: _of_ninja,
        Http404: lambda _: NotFound(),
        PermissionDenied: lambda _: Forbidden(),
        RequestDataTooBig: lambda _: TooLarge(),
        SuspiciousOperation: lambda _: BadField("That request cannot be read."),
        DataError: _of_data_error,
        OperationalError: _of_lost_database,
        InterfaceError: _of_lost_database,
        Exception: _of_bug,
    }
    for kind, refusal_of in handlers.items():
        api.add_exception_handler(kind, _handler(refusal_of))


def _of_fields(error: ValidationError) -> Refusal:
    """Names the first wrong field. A malformed id in the address is an id that does not exist."""
    if any(wrong["loc"][0] == "path" for wrong in error.errors):
        return NotFound()
    wrong = error.errors[0]
    where = [str(step) for step in wrong["loc"][_FIELD_OF_BODY if wrong["loc"][0] == "body" else 1 :]]
    name = ".".join(where) or "The body"
    return BadField(f"{name}: {wrong['msg'].removeprefix('Value error, ')}.")


def _handler(refusal_of: Callable[[Any], Refusal]) -> Callable[[HttpRequest, Any], HttpResponse]:
    return lambda _request, error: to_response(refusal_of(error))


def _of_ninja(error: HttpError) -> Refusal:
    """Ninja could not read the request. Its HttpError has the Refusal of our parser as its cause, if that raised one."""
    return error.__cause__ if isinstance(error.__cause__, Refusal) else BadField(f"{error}.")


def _of_data_error(error: DataError) -> Refusal:
    logger.warning("A value passed validation that the database cannot hold: %s", error)
    return BadField("A value is too large, or holds a character that cannot be kept.")


def _of_lost_database(error: Exception) -> Refusal:
    logger.error("The database did not answer a request: %s", error)
    return Busy("The database cannot be reached. Try again in a moment.", retry_after_ms=1000)


def _of_bug(error: Exception) -> Refusal:
    logger.error("A request broke", exc_info=error)
    return Broken()
