"""An agent that kills its worker, whenever it is started."""

import os
import signal

from agents.sdk import AgentRun, agent


@agent("poison", title="Poison", description="Kills its worker.")
async def poison(run: AgentRun) -> None:
    async with run.message() as message:
        await message.append("about to kill")
    os.kill(os.getpid(), signal.SIGKILL)
