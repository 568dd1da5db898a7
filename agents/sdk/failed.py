class AgentFailed(Exception):  # noqa: N818  # `raise AgentFailed(…)` says what the agent did
    """Ends the Run as failed. Raise it where you know what is wrong.

    `code` is for programs (`too_short`); `message` is a sentence for people; `retry` is true when the same request may succeed
    later, so that the page offers to try again.
    """

    def __init__(self, code: str, message: str, *, retry: bool = False) -> None:
        self.code = code
        self.message = message
        self.retry = retry
        super().__init__(message)


class StepFailed(Exception):  # noqa: N818  # read as the sentence it is
    """A step has raised an error, in this attempt or in an earlier one. `kind`: the name of its class with its module, such as
    `httpx.ConnectError` or `TimeoutError`; `message`: its text, which may be empty; `tries`: how often the work was tried.
    """

    def __init__(self, kind: str, message: str, *, tries: int = 1) -> None:
        self.kind = kind
        self.message = message
        self.tries = tries
        super().__init__(f"{kind}: {message}" if message else kind)


class StateChanged(AgentFailed):
    """Another Run of the agent has changed, in the same Session, what this one changes in `run.state`."""

    def __init__(self) -> None:
        super().__init__(
            "state_changed", "Another answer has changed meanwhile what the agent keeps here. Try again.", retry=True
        )


class KeyUsedTwice(ValueError):  # noqa: N818  # read as the sentence it is
    """Two calls of a Run have one key, so that a later attempt could not tell their results apart."""


class StepUnknown(RuntimeError):  # noqa: N818  # read as the sentence it is
    """An earlier attempt was cut off in a step that must not be done twice: nobody knows whether it was done."""


class AlreadyEnded(RuntimeError):  # noqa: N818  # read as the sentence it is
    """An agent writes to a Message or a Run that has ended. Raised in the agent's own line, because its code is wrong there."""
