"""The scripted agent, for tests and trials (SCRIPT_AGENT=1). It says `w1 w2 w3 …`, so that a missing, doubled or moved word
shows.
"""

import asyncio
from pathlib import Path
from typing import Annotated, Final
from uuid import uuid4

import msgspec
from django.conf import settings
from msgspec import Meta, Struct, field

from agents.sdk import AgentFailed, AgentRun, Declined, Message, agent
from sessions_core.protocol.ids import SessionId

EXAMPLE: Final = '{"words": 200, "every_ms": 20, "pause_after": 50, "pause_ms": 3000, "fail_after": 100, "reason": 20}'
FOLDER: Final = "script"  # of VAR_DIR
POLL_S: Final = 0.05

Count = Annotated[int, Meta(ge=0, le=100_000)]
Milliseconds = Annotated[int, Meta(ge=0, le=3_600_000)]


class ScriptStep(Struct, frozen=True, forbid_unknown_fields=True):
    """Works for so long, and has a new uuid as its result: a step that was done twice shows."""

    key: str
    ms: Milliseconds = 0


class ScriptAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """Asks after so many words, and says `answered <json>`, or `declined <reason>`."""

    after: Count = 0
    title: str = "Go on?"
    schema: dict[str, object] = field(default_factory=lambda: {"type": "object"})
    expires_s: Annotated[float, Meta(gt=0, le=86_400)] | None = None


class Script(Struct, frozen=True, forbid_unknown_fields=True):
    """Says `words` words, one every `every_ms`, after `reason` words of reasoning. Pauses once, after `pause_after` words; fails
    after `fail_after`. From `wait_at` words on it waits until it is allowed to go on: see `allowance`.

    Before its words it does its `steps`, sleeps for `sleep_s` and waits for the signal `wait_for`; it notes `tokens` as used.
    After its words it waits for a steer with `until_steered`, and says `steered <text>`.
    """

    words: Count = 100
    every_ms: Milliseconds = 20
    pause_after: Count | None = None
    pause_ms: Milliseconds = 3000
    wait_at: Count | None = None
    fail_after: Count | None = None
    reason: Count = 0
    steps: tuple[ScriptStep, ...] = ()
    ask: ScriptAsk | None = None
    until_steered: bool = False
    sleep_s: Annotated[float, Meta(ge=0, le=604_800)] | None = None
    wait_for: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    tokens: Count | None = None


@agent(
    "script",
    title="Script",
    description=f"Says w1 w2 w3 … as a JSON object tells it to, such as {EXAMPLE}",
    offered=settings.SCRIPT_AGENT,
)
async def perform(run: AgentRun) -> None:
    """Writes `w1 w2 … wN`, with one space between words; the reasoning is the same with `r`."""
    script = parse(run.input)
    for step in script.steps:
        await run.step(step.key, _work, step.ms)
    if script.sleep_s is not None:
        await run.sleep(script.sleep_s)
    if script.wait_for is not None:
        await run.wait_for(script.wait_for)
    async with run.message() as message:
        for n in range(1, script.reason + 1):
            await message.reason(_word("r", n))
            await asyncio.sleep(script.every_ms / 1000)
        for n in range(script.words + 1):
            await _say(message, script, n)
            if script.ask is not None and n == script.ask.after:
                await _add(message, await _ask(run, script.ask))
            await _wait(allowance(settings.VAR_DIR, run.session), script, n)
        if script.until_steered:
            await _add(message, f"steered {await _steered(run)}")
        if script.tokens is not None:
            message.used(input_tokens=script.tokens, output_tokens=script.tokens)


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


async def _work(ms: int) -> str:
    await asyncio.sleep(ms / 1000)
    return str(uuid4())


async def _ask(run: AgentRun, ask: ScriptAsk) -> str:
    try:
        answer = await run.ask(ask.schema, ask.title, expires=ask.expires_s)
    except Declined as declined:
        return f"declined {declined.reason}"
    return f"answered {msgspec.json.encode(answer, order='sorted').decode()}"


async def _steered(run: AgentRun) -> str:
    while not (steers := await run.steers()):  # noqa: ASYNC110  # a person writes it, on another machine
        await asyncio.sleep(POLL_S)
    return " ".join(steer.text for steer in steers)


async def _add(message: Message, text: str) -> None:
    """Says the text, with a space before it unless the Message begins with it."""
    await message.append(f" {text}" if message.text else text)


async def _say(message: Message, script: Script, n: int) -> None:
    """Says the n-th word, and pauses or fails after it. The 0th is no word: it lets a script pause or fail before the first."""
    if n:
        await (message.append(_word("w", n)) if n > 1 else _add(message, "w1"))
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
