"""Plain machines of delivery: what a reader is owed, from (cursor, head) and what arrives. No I/O, no clock."""

from msgspec import Struct

from sessions_core.ids import SessionId


class Span(Struct, frozen=True):
    """The Events of the seqs (`start`, `end`] that the log still holds, encoded: `body` is the inside of a JSON array."""

    session: SessionId
    epoch: int
    start: int
    end: int
    body: bytes

    def frame(self, *, older: bool | None = None) -> str:
        """The `events` frame; `older` is told on a cold start only."""
        tail = "" if older is None else f',"older":{"true" if older else "false"}'
        return (
            f'{{"type":"events","session":"{self.session}","epoch":{self.epoch},"from":{self.start},"to":{self.end},'
            f'"events":[{self.body.decode()}]{tail}}}'
        )
