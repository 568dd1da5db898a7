"""What a Run has spent: it goes from its worker into its row, and from there to the next worker and into its last Event."""

from msgspec import UNSET, Struct

from sessions_core.protocol.events import Usage


class Spent(Struct, frozen=True):
    """What a Run has spent over all its attempts. `cost_usd`: None where nothing was bought, or a price is not known.
    `estimated`: a provider did not say all of the tokens. `first_text_s`: from the present claim to the first text, if that
    was said under it.
    """

    steps: int = 0
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float | None = None
    estimated: bool = False
    first_text_s: float | None = None

    @property
    def tokens(self) -> int:
        """Tokens that were read and written."""
        return self.input_tokens + self.output_tokens

    @property
    def usage(self) -> Usage | None:
        """The same as it stands in Events; None when no model was asked."""
        if not (self.requests or self.tokens):
            return None
        return Usage(
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            estimated=self.estimated,
            requests=self.requests or UNSET,
            cached=self.cached_tokens or UNSET,
            cost_usd=UNSET if self.cost_usd is None else self.cost_usd,
        )


NOTHING: Spent = Spent()
