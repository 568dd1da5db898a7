class AgentFailed(Exception):  # noqa: N818  # `raise AgentFailed(…)` says what the agent did
    """The Run cannot succeed. `message` is a sentence for people; `retry`: the same request may well succeed later."""

    def __init__(self, code: str, message: str, *, retry: bool = False) -> None:
        self.code = code
        self.message = message
        self.retry = retry
        super().__init__(message)
