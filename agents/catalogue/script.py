"""The scripted agent, for tests and trials (SCRIPT_AGENT=1). It says `w1 w2 w3 …`, so that a missing, doubled or moved word
shows.
"""

import asyncio
from pathlib import Path
from typing import Annotated, Final

import msgspec
from django.conf import settings
from msgspec import Meta, Struct

from agents.sdk import AgentFailed, AgentRun, Message, agent
from sessions_core.protocol.ids import SessionId

EXAMPLE: Final = '{"words": 200, "every_ms": 20, "pause_after": 50, "pause_ms": 3000, "fail_after": 100, "reason": 20}'
FOLDER: Final = "script"  # of VAR_DIR
POLL_S: Final = 0.05

Count = Annotated[int, Meta(ge=0, le=100_000)]
Milliseconds = Annotated[int, Meta(ge=0, le=3_600_000)]


class Script(Struct, frozen=True, forbid_unknown_fields=True):
    """Says `words` words, one every `every_ms`, after `reason` words of reasoning. Pauses once, after `pause_after` words; fails
    after `fail_after`. From `wait_at` words on it waits until it is allowed to go on: see `allowance`.
    """

    words: Count = 100
    every_ms: Milliseconds = 20
    pause_after: Count | None = None
    pause_ms: Milliseconds = 3000
    wait_at: Count | None = None
    fail_after: Count | None = None
    reason: Count = 0


@agent(
    "script",
    title="Script",
    description=f"Says w1 w2 w3 … as a JSON object tells it to, such as {EXAMPLE}",
    offered=settings.SCRIPT_AGENT,
)
async def perform(run: AgentRun) -> None:
    """Writes `w1 w2 … wN`, with one space between words; the reasoning is the same with `r`."""
    script = parse(run.input)
    async with run.message() as message:
        for n in range(1, script.reason + 1):
            await message.reason(_word("r", n))
            await asyncio.sleep(script.every_ms / 1000)
        for n in range(script.words + 1):
            await _say(message, script, n)
            await _wait(allowance(settings.VAR_DIR, run.session), script, n)


def parse(text: str) -> Script:
    """Returns the script that a message holds. Raises AgentFailed with a sentence that shows one."""
    try:
        return msgspec.json.decode(text, type=Script)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise AgentFailed("bad_script", f"That is no script: {error}. Write a JSON object such as {EXAMPLE}") from None


def allowance(var_dir: Path, session: SessionId) -> Path:
    """Returns the file that says how many words the scripts of a Session may say. Only somebody on this machine can write it,
    and it outlives a killed worker.
    """
    return var_dir / FOLDER / str(session)


async def _say(message: Message, script: Script, n: int) -> None:
    """Says the n-th word, and pauses or fails after it. The 0th is no word: it lets a script pause or fail before the first."""
    if n:
        await message.append(_word("w", n))
        await asyncio.sleep(script.every_ms / 1000)
    if n == script.pause_after:
        await asyncio.sleep(script.pause_ms / 1000)
    if n == script.fail_after:
        raise AgentFailed("script_failed", f"The script says to fail after {n} words.", retry=True)


async def _wait(file: Path, script: Script, n: int) -> None:
    """Waits after the n-th word until the next one is allowed; after the last, until all of them are."""
    if script.wait_at is None or n < script.wait_at:
        return
    while _allowed(file) < min(n + 1, script.words):  # noqa: ASYNC110  # another process allows it
        await asyncio.sleep(POLL_S)


def _allowed(file: Path) -> int:
    try:
        return int(file.read_text())
    except FileNotFoundError:
        return 0


def _word(letter: str, n: int) -> str:
    return f"{letter}{n}" if n == 1 else f" {letter}{n}"
