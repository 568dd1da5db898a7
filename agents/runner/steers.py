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
        # What the Run has taken before this attempt, by the keys of its calls.
        self._taken: dict[str, list[Steering]] = {}
        self._is_read = claim.fence == 1
        self._reading = asyncio.Lock()

    async def take(self, key: str, *, before: Sequence[Fact] = ()) -> list[Steering]:
        """Returns what was taken under the key before; and when all of that was returned, what is new, as `runs.take_steers`
        does. Raises what that does.
        """
        async with self._reading:
            if not self._is_read:
                self._taken, self._is_read = await bridge.run(runs.taken_steers, self._claim.run), True
        if key in self._taken:
            return self._taken.pop(key)
        if self._taken or not self.arrived.is_set():
            return []
        self.arrived.clear()
        return await bridge.run(runs.take_steers, self._claim, key, before=before)
