"""An agent that does all that a Run can do, one after the other: a step, a question to the model, one to people, a sleep.

Its step calls the model's provider, too, which so counts how often the step is done.
"""

from typing import Final

import httpx
import msgspec
from django.conf import settings
from msgspec import Struct

from agents.sdk import AgentRun, agent

TIMEOUT_S: Final = 60.0
STEP: Final = '{"words": 1, "every_ms": 0}'  # what the provider is told to do by the step


class Tour(Struct, frozen=True):
    """What to do, as the message says it. Its other fields are for the provider (tests/support/fake_provider.py)."""

    laps: int = 1
    step: str = STEP
    sleep_s: float = 0.1


@agent("tour", title="Tour", description="Does a step, asks the model, asks people, and sleeps.")
async def tour(run: AgentRun) -> None:
    order = msgspec.json.decode(run.input, type=Tour)
    for lap in range(1, order.laps + 1):
        await run.step(f"lap {lap}", _call, run, order.step)
        async with run.message() as message:
            await message.model(run.prompt(), instructions=f"This is lap {lap}.")  # no two requests are alike
            answer = await run.ask({"type": "integer"}, f"Lap {lap}?")
            await message.append(f" answered {answer}")
        await run.sleep(order.sleep_s)


async def _call(run: AgentRun, order: str) -> int:
    """Calls the provider with the key of the step in the place of a password, and returns the length of what it says."""
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
        response = await client.post(
            f"{settings.CHAT_MODEL_URL}/chat/completions",
            headers={"Authorization": f"Bearer {run.key}"},
            json={"messages": [{"role": "user", "content": order}]},
        )
        return len(response.raise_for_status().text)
