"""All refusals: each has a code for programs and a sentence for people.

    Refusal
    ├── NotSignedIn        401
    ├── NotFound           404  also for what belongs to others: a stranger cannot tell the two apart
    ├── Forbidden          403  the address exists and the user is known; the right is missing
    │   ├── ReadOnly            the role, the token's scope or an archived Session forbids writing
    │   ├── AskForbidden        others may answer this question
    │   ├── BadOrigin           a page of another site
    │   └── CsrfFailed          HTTP: the signed-in browser's token is missing or wrong
    ├── MethodNotAllowed   405  HTTP only
    ├── TooSlow            408  HTTP only: the request did not arrive in time
    ├── Conflict           409
    │   ├── RunActive           policy `reject`
    │   ├── LimitReached        too many answers are waited for
    │   ├── RunEnded            nothing is running that could be stopped
    │   ├── AskClosed           somebody has answered, or nobody may any more
    │   └── NotQueued           the message has left the queue
    ├── TooLarge           413
    ├── Invalid            422
    │   ├── BadFrame            not JSON, not an object, unknown type
    │   ├── BadField            a field is missing or wrong
    │   ├── HelloFirst
    │   ├── BadAnswer           the answer does not fit the question; `fields` says where
    │   └── NoSuchAgent
    ├── Busy               503
    │   └── RateLimited    429
    └── Broken             500  a fault of ours; the process's log has the traceback

The docstring of a class is its default sentence. `status` is the HTTP status; on a socket, an `error` frame carries the same code
and sentence.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

NO_FIELDS: Final[Mapping[str, str]] = MappingProxyType({})


class Refusal(Exception):  # noqa: N818  # a refusal is no error of ours
    """That was refused."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 400
    retry: ClassVar[bool] = False

    def __init__(
        self, message: str = "", *, retry_after_ms: int | None = None, fields: Mapping[str, str] = NO_FIELDS
    ) -> None:
        self.message = message or (self.__doc__ or "").strip()
        self.retry_after_ms = retry_after_ms
        self.fields = dict(fields)  # a sentence for each wrong field, by its path: `address.city`
        super().__init__(self.message)


class NotSignedIn(Refusal):
    """Sign in first."""

    code = "not_signed_in"
    status = 401


class NotFound(Refusal):
    """There is no such thing here."""

    code = "not_found"
    status = 404


class Forbidden(Refusal):
    """You may not do that."""

    code = "forbidden"
    status = 403


class ReadOnly(Forbidden):
    """You can read here, but not write."""

    code = "read_only"


class AskForbidden(Forbidden):
    """This question is for others to answer."""

    code = "ask_forbidden"


class BadOrigin(Forbidden):
    """This page belongs to another site."""

    code = "bad_origin"


class CsrfFailed(Forbidden):
    """The CSRF token is missing or wrong: send the cookie's value as X-CSRFToken, or reload the page."""

    code = "csrf_failed"


class MethodNotAllowed(Refusal):
    """This address does not take that method."""

    code = "method_not_allowed"
    status = 405


class TooSlow(Refusal):
    """The request did not arrive in time. Try again."""

    code = "too_slow"
    status = 408
    retry = True


class Conflict(Refusal):
    """That does not fit the present state."""

    code = "conflict"
    status = 409


class RunActive(Conflict):
    """An answer is already being written. Wait for it, or stop it first."""

    code = "run_active"
    retry = True


class LimitReached(Conflict):
    """There are as many of these as there may be."""

    code = "limit_reached"
    retry = True


class RunEnded(Conflict):
    """It has already ended, so there is nothing to stop."""

    code = "run_ended"


class AskClosed(Conflict):
    """This question is closed."""

    code = "ask_closed"


class NotQueued(Conflict):
    """This message has left the queue."""

    code = "not_queued"


class TooLarge(Refusal):
    """That is too large."""

    code = "too_large"
    status = 413


class Invalid(Refusal):
    """That cannot be read."""

    code = "invalid"
    status = 422


class BadFrame(Invalid):
    """A frame is one JSON object with a known type."""

    code = "bad_frame"


class BadField(Invalid):
    """A field is missing or has a wrong value."""

    code = "bad_field"


class HelloFirst(Invalid):
    """Say hello first."""

    code = "hello_first"


class BadAnswer(Invalid):
    """The answer does not fit the question."""

    code = "bad_answer"


class NoSuchAgent(Invalid):
    """There is no agent of that name."""

    code = "no_such_agent"


class Busy(Refusal):
    """The server is busy. Try again in a moment."""

    code = "busy"
    status = 503
    retry = True


class RateLimited(Busy):
    """That is too many at once. Wait a moment."""

    code = "rate_limited"
    status = 429


class Broken(Refusal):
    """Something broke on our side. The administrators can see what it was."""

    code = "internal"
    status = 500


class Fenced(Exception):  # noqa: N818  # tells a writer to stop; no person sees it
    """The WriteGrant is not valid: the Run was cancelled, has ended, or belongs to a newer attempt. Stop writing."""
