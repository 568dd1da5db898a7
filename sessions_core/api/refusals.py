"""One form for every refusal: `{"error": {"code", "message", "retry"}}`, whatever said no."""

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

from sessions_core.protocol.errors import BadField, Broken, Busy, Forbidden, NotFound, NotSignedIn, Refusal, TooLarge

logger = logging.getLogger(__name__)

_ENCODER: Final = msgspec.json.Encoder()
_BODY_NAMED_FROM: Final = 2  # in ninja's location of a wrong field come "body", our parameter's name, the field


def answer(refusal: Refusal) -> HttpResponse:
    """The refusal as a response, with Retry-After where waiting helps."""
    error = {"code": refusal.code, "message": refusal.message, "retry": refusal.retry}
    response = HttpResponse(
        _ENCODER.encode({"error": error}), status=refusal.status, content_type="application/json; charset=utf-8"
    )
    if refusal.retry_after_ms is not None:
        response["Retry-After"] = str(math.ceil(refusal.retry_after_ms / 1000))
    if isinstance(refusal, NotSignedIn):
        response["WWW-Authenticate"] = "Bearer"
    return response


def handle_all(api: NinjaAPI) -> None:
    """Makes the API answer each kind of exception in that form."""
    handlers: dict[type[Exception], Callable[[Any], Refusal]] = {
        Refusal: lambda refusal: refusal,
        NotFound: lambda _: NotFound(),  # one body for all, so that nothing can be told from it
        ObjectDoesNotExist: lambda _: NotFound(),  # deleted by somebody else a moment ago
        ValidationError: of_fields,
        AuthenticationError: lambda _: NotSignedIn(),
        HttpError: _of_ninja,
        Http404: lambda _: NotFound(),
        PermissionDenied: lambda _: Forbidden(),
        RequestDataTooBig: lambda _: TooLarge(),
        SuspiciousOperation: lambda _: BadField("That request cannot be read."),
        DataError: _of_data,
        OperationalError: _of_database,
        InterfaceError: _of_database,
        Exception: _of_anything,
    }
    for kind, refused in handlers.items():
        api.add_exception_handler(kind, _handler(refused))


def of_fields(error: ValidationError) -> Refusal:
    """The first wrong field, by name. A wrong id in the address is something that does not exist."""
    if any(wrong["loc"][0] == "path" for wrong in error.errors):
        return NotFound()
    wrong = error.errors[0]
    where = [str(step) for step in wrong["loc"][_BODY_NAMED_FROM if wrong["loc"][0] == "body" else 1 :]]
    name = ".".join(where) or "The body"
    return BadField(f"{name}: {wrong['msg'].removeprefix('Value error, ')}.")


def _handler(refused: Callable[[Any], Refusal]) -> Callable[[HttpRequest, Any], HttpResponse]:
    return lambda _request, error: answer(refused(error))


def _of_ninja(error: HttpError) -> Refusal:
    """What ninja's own reading of a request found wrong; what our parser refused is its cause."""
    return error.__cause__ if isinstance(error.__cause__, Refusal) else BadField(f"{error}.")


def _of_data(error: DataError) -> Refusal:
    logger.warning("A value passed the edge that the database cannot hold: %s", error)
    return BadField("A value is too large, or holds a character that cannot be kept.")


def _of_database(error: Exception) -> Refusal:
    logger.error("The database did not answer a request: %s", error)
    return Busy("The database cannot be reached. Try again in a moment.", retry_after_ms=1000)


def _of_anything(error: Exception) -> Refusal:
    logger.error("A request broke", exc_info=error)
    return Broken()
