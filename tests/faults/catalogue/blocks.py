"""An agent that blocks its worker's loop, in the way that the message names."""

import re
import time

from agents.sdk import AgentRun, agent


@agent("blocks", title="Blocks", description="Blocks its worker's loop: `loop`, `sleep` or `regex`.")
async def block(run: AgentRun) -> None:
    async with run.message() as message:
        await message.append("about to block")
        match run.input:
            case "loop":
                while True:
                    pass
            case "regex":  # one call in C, which never gives the GIL away
                re.match(r"(a+)+$", "a" * 100 + "b")
            case _:
                time.sleep(3600)  # noqa: ASYNC251  # the fault itself
