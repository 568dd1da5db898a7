"""Errors as Steps keep them, so that a later attempt meets the same error at the same place."""

from typing import Final, cast

from msgspec import Struct

from agents.sdk.failed import AgentFailed, StepFailed, StepUnknown
from agents.sdk.outside import Declined
from sessions_core.protocol.events import AskEnd
from sessions_core.protocol.text import repair, shorten

MESSAGE_CHARACTERS: Final = 2000  # of the text of an error that are kept


class Failure(Struct, frozen=True, omit_defaults=True):
    """What is kept of an error. `kind`: the name of its class. `code`: that of an AgentFailed, or the reason of a Declined."""

    kind: str
    message: str
    tries: int = 1
    code: str = ""
    retry: bool = False

    def error(self) -> Exception:
        """Returns the error to raise: one of the SDK's own, or StepFailed in the place of any other."""
        match self.kind:
            case "AgentFailed":
                return AgentFailed(self.code, self.message, retry=self.retry)
            case "Declined":
                return Declined(cast("AskEnd", self.code), self.message or None)
            case "StepUnknown":
                return StepUnknown(self.message)
            case _:
                return StepFailed(self.kind, self.message, tries=self.tries)


def failure_of(error: Exception, *, tries: int = 1) -> Failure:
    """Returns what is kept of the error."""
    match error:
        case AgentFailed():
            return Failure("AgentFailed", repair(error.message), code=error.code, retry=error.retry)
        case Declined():
            return Failure("Declined", repair(error.message or ""), code=error.reason)
        case StepUnknown():
            return Failure("StepUnknown", str(error))
        case StepFailed():  # of a step within the step
            return Failure(error.kind, error.message, tries)
        case _:
            return Failure(class_name(error), shorten(repair(str(error)), MESSAGE_CHARACTERS), tries)


def class_name(error: BaseException) -> str:
    """Returns the name of the error's class with its module, as tracebacks have it; of a StepFailed that of the first error."""
    if isinstance(error, StepFailed):
        return error.kind
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
