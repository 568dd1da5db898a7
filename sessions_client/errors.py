"""What the client raises.

ClientError
├── Refused   the server said no to a command or a subscription; `code` for programs, a sentence for people
├── Removed   the Session is not ours to follow any more, or it is gone
└── Closed    the connection has ended for good: closed by us, or by a code that forbids to reconnect
"""


class ClientError(Exception):
    """All of them."""


class Refused(ClientError):  # noqa: N818  # what it is: nothing broke
    """The server said no. `retry`: the same may well succeed later."""

    def __init__(self, code: str, message: str, *, retry: bool = False) -> None:
        self.code = code
        self.message = message
        self.retry = retry
        super().__init__(f"{message} ({code})")


class Removed(ClientError):  # noqa: N818
    """The Session cannot be followed any more."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Closed(ClientError):  # noqa: N818
    """The connection has ended, and is not made again. `code` is the WebSocket's; 1000 when we closed it ourselves."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"{code} {reason}".strip())
