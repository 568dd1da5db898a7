"""The scripted agent, for tests and trials (SCRIPT_AGENT=1): it says `w1 w2 w3 …`, so that a missing, doubled or moved
word shows.
"""

import asyncio
from typing import Annotated, Final

import msgspec
from django.conf import settings
from msgspec import Meta, Struct

from agents.sdk import AgentFailed, AgentRun, Message, agent

EXAMPLE: Final = '{"words": 200, "every_ms": 20, "pause_after": 50, "pause_ms": 3000, "fail_after": 100, "reason": 20}'

Count = Annotated[int, Meta(ge=0, le=100_000)]
Milliseconds = Annotated[int, Meta(ge=0, le=3_600_000)]


class Script(Struct, frozen=True, forbid_unknown_fields=True):
    """What to say and how fast. Pauses once, after `pause_after` words; fails after `fail_after`; `reason` words come first."""

    words: Count = 100
    every_ms: Milliseconds = 20
    pause_after: Count | None = None
    pause_ms: Milliseconds = 3000
    fail_after: Count | None = None
    reason: Count = 0


@agent(
    "script",
    title="Script",
    description=f"Says w1 w2 w3 … as a JSON object tells it to, such as {EXAMPLE}",
    offered=settings.SCRIPT_AGENT,
)
async def perform(run: AgentRun) -> None:
    """The text is `w1 w2 … wN`, with one space between words; the reasoning the same with `r`."""
    script = parse(run.input)
    async with run.message() as message:
        for n in range(1, script.reason + 1):
            await message.reason(_word("r", n))
            await asyncio.sleep(script.every_ms / 1000)
        for n in range(script.words + 1):
            await _say(message, script, n)


def parse(text: str) -> Script:
    """The script that a message holds. Raises AgentFailed with a sentence that shows one."""
    try:
        return msgspec.json.decode(text, type=Script)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise AgentFailed("bad_script", f"That is no script: {error}. Write a JSON object such as {EXAMPLE}") from None


async def _say(message: Message, script: Script, n: int) -> None:
    """The n-th word, and what the script wants after it; the 0th is nothing, so that it can pause or fail before the first."""
    if n:
        await message.append(_word("w", n))
        await asyncio.sleep(script.every_ms / 1000)
    if n == script.pause_after:
        await asyncio.sleep(script.pause_ms / 1000)
    if n == script.fail_after:
        raise AgentFailed("script_failed", f"The script says to fail after {n} words.", retry=True)


def _word(letter: str, n: int) -> str:
    return f"{letter}{n}" if n == 1 else f" {letter}{n}"
