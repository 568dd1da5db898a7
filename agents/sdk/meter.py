"""Counts what a Run spends, and says when it has passed one of its Limits."""

import time
from collections.abc import Callable, Iterator

import msgspec
from msgspec import UNSET

from agents.sdk.limits import Limits
from sessions_core.protocol.events import Usage
from sessions_core.protocol.spent import NOTHING, Spent

OnLimit = Callable[[str], None]


def _ignore(_: str) -> None:
    pass


class Meter:
    """What a Run has spent over all its attempts. `on_limit` is called once, with a sentence for people, when a Limit is passed;
    the runner then stops the agent at its next await.

    Count a request or a step before it is made: one too many is then not made. Count its tokens when they are known. A replay
    costs nothing, so it is not counted again.
    """

    def __init__(self, limits: Limits = Limits(), *, spent: Spent = NOTHING, on_limit: OnLimit = _ignore) -> None:  # noqa: B008  # frozen
        self.limits = limits
        self.spent = spent
        self._on_limit = on_limit
        self._began = self._progressed = time.monotonic()
        self._is_passed = False

    def count(
        self,
        *,
        steps: int = 0,
        requests: int = 0,
        input_tokens: int = 0,
        output_tokens: int = 0,
        cached_tokens: int = 0,
        cost_usd: float | None = None,
        estimated: bool = False,
    ) -> None:
        """Adds to what was spent. Tokens without `cost_usd` have an unknown price, and with them so has the Run."""
        self.progress()
        before = self.spent
        self.spent = msgspec.structs.replace(
            before,
            steps=before.steps + steps,
            requests=before.requests + requests,
            input_tokens=before.input_tokens + input_tokens,
            output_tokens=before.output_tokens + output_tokens,
            cached_tokens=before.cached_tokens + cached_tokens,
            cost_usd=_sum(before, cost_usd) if input_tokens or output_tokens else before.cost_usd,
            estimated=before.estimated or estimated,
        )
        self._check()

    def use(self, usage: Usage) -> None:
        """Adds what one request has used."""
        self.count(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached or 0,
            cost_usd=None if usage.cost_usd is UNSET else usage.cost_usd,
            estimated=usage.estimated,
        )

    def progress(self) -> None:
        """Notes that the Run is getting on: something was written, a model said something, or a step began."""
        self._progressed = time.monotonic()

    def text(self) -> None:
        """Notes that people were told something: of a Run's first text the time is kept."""
        if self.spent.first_text_s is None:
            self.spent = msgspec.structs.replace(self.spent, first_text_s=time.monotonic() - self._began)

    @property
    def worked_s(self) -> float:
        """Seconds since this worker has begun, or gone on."""
        return time.monotonic() - self._began

    @property
    def quiet_s(self) -> float:
        """Seconds since the last sign of progress."""
        return time.monotonic() - self._progressed

    def _check(self) -> None:
        sentence = next(self._passed(), None)
        if sentence is not None and not self._is_passed:
            self._is_passed = True
            self._on_limit(sentence)

    def _passed(self) -> Iterator[str]:
        limits, spent = self.limits, self.spent
        if limits.steps is not None and spent.steps > limits.steps:
            yield f"The answer needed more than {limits.steps:,} steps and was ended."
        if limits.requests is not None and spent.requests > limits.requests:
            yield f"The answer asked a model more than {limits.requests:,} times and was ended."
        if limits.tokens is not None and spent.tokens > limits.tokens:
            yield f"The answer used more than {limits.tokens:,} tokens of a model and was ended."
        if limits.cost_usd is not None and spent.cost_usd is None and spent.tokens:
            yield UNKNOWN_PRICE
        if limits.cost_usd is not None and (spent.cost_usd or 0) > limits.cost_usd:
            yield f"The answer cost more than ${limits.cost_usd:,.2f} and was ended."


UNKNOWN_PRICE = "The price of the model is not known here, so what this answer may cost cannot be held. It was ended."


def _sum(before: Spent, cost_usd: float | None) -> float | None:
    """Returns the cost so far with what is added, or None where one of them is not known."""
    if cost_usd is None or (before.cost_usd is None and before.tokens):
        return None
    return (before.cost_usd or 0.0) + cost_usd
