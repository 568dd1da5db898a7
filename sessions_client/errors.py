"""The exceptions of the client.

ClientError
├── Refused   the server refused a command or a subscription; `code` is for programs, `message` for people
├── Removed   the user takes no part in the Session any more, or the Session was deleted
└── Closed    the connection has ended for good: closed by us, or with a code that forbids to reconnect
"""


class ClientError(Exception):
    """The base of all exceptions of this client."""


class Refused(ClientError):  # noqa: N818  # nothing broke: the server answered
    """The server refused. `retry`: the same command may succeed later."""

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
    """The connection has ended and is not made again. `code` is the WebSocket close code, 1000 when the client closed it."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"{code} {reason}".strip())
