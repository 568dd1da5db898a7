import asyncio
from collections.abc import Sequence

from sessions_core import bridge
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import Fact
from sessions_core.services import runs
from sessions_core.services.runs import Steering


class Steers:
    """What people write to one Run while it works. `arrived` is set by a hint or a heartbeat: an agent that asks again and again
    costs the database nothing until something has come.
    """

    def __init__(self, claim: Claim) -> None:
        self.arrived = asyncio.Event()
        self._claim = claim
        self._is_first_hold = claim.fence == 1  # nobody before can have taken any

    async def take(self, key: str, *, before: Sequence[Fact] = ()) -> list[Steering]:
        """Returns and raises what `runs.take_steers` does."""
        if self._is_first_hold and not self.arrived.is_set():
            return []
        self.arrived.clear()
        return await bridge.run(runs.take_steers, self._claim, key, before=before)
