"""Answers questions about this software from its own documentation, without a model. The default while none is set."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Final

from django.conf import settings

from agents.sdk import AgentRun, agent
from agents.tools.documentation.ranking import Found, rank, says_nothing
from agents.tools.documentation.sections import Section, read
from sessions_core import bridge

SECTIONS: Final = 3  # at most, in one answer
COVERED: Final = 0.3  # a section that holds less of what was asked is about something else
WORDS: Final = 2  # so is one that shares a single word with the question, unless …
TELLING: Final = 0.25  # … the word is in its title, or all over it
NEAR: Final = 0.6  # of the best one's score: below it a section only distracts
LENGTH: Final = 1200  # code points quoted of one section; the pages have the rest
WORD_S: Final = 0.025  # a pace at which people read along, and can reload or stop in between

# Said to anybody, and no question: the documentation's own “hello” is a frame.
_GREETING: Final = re.compile(
    r"\W*(hello|hi|hey|good (morning|day|evening)|help|test(ing)?)( there| you)?\W*", re.IGNORECASE
)
_WORD: Final = re.compile(r"\s*\S+\s*?")


@agent(
    "guide", title="Guide", description="Answers questions about this software from its documentation. Needs no model."
)
async def guide(run: AgentRun) -> None:
    """Quotes the best sections, and says from which pages they are."""
    library = sections()
    found = await bridge.run(best, run.input, library)
    answer = await bridge.run(quote, run.input, found) if found else nothing(library)
    async with run.message() as message:
        for word in _WORD.findall(answer):
            await message.append(word)
            await asyncio.sleep(WORD_S)


@cache
def sections() -> tuple[Section, ...]:
    """The documentation, read once in each process."""
    return read(Path(settings.FILES_DIR))


def best(question: str, library: Sequence[Section]) -> list[Section]:
    """The sections that answer the question, the best first; none when the documentation has no answer."""
    if _GREETING.fullmatch(question):
        return []
    if len(re.findall(r"\w+", question)) > 1 and says_nothing(question):
        return list(library[:1])  # “what is this?”: how the README begins
    ranked = rank(question, [(section.title, section.body) for section in library])
    found = [one for one in ranked if _fits(one)]
    near = takewhile(lambda one: one.score >= NEAR * found[0].score, found)
    return [library[one.index] for one in near][:SECTIONS]


def _fits(one: Found) -> bool:
    return one.covered >= COVERED and (one.words >= min(WORDS, one.asked) or one.score >= TELLING)


def quote(question: str, found: Sequence[Section]) -> str:
    """The answer, in Markdown."""
    quoted = [f"### {section.title.rsplit(' › ', 1)[-1]}\n\n{excerpt(question, section)}" for section in found]
    sources = " · ".join(f"`{section.page}` › {section.title.split(' › ', 1)[-1]}" for section in found)
    return "\n\n".join([*quoted, f"From: {sources}"])


def excerpt(question: str, section: Section) -> str:
    """The section, or of a long one the paragraphs that say most about the question, in their order."""
    if len(section.body) <= LENGTH:
        return section.body
    ranked = rank(question, [("", block) for block in section.blocks])
    chosen = sorted(_fitting(section.blocks, ranked)) or [0]
    return "\n\n".join(_cut(section.blocks[n]) for n in chosen)


def nothing(library: Sequence[Section]) -> str:
    """What is said when nothing was found: so, and what could be asked."""
    pages = dict.fromkeys(section.title.split(" › ", 1)[0] for section in library)
    about = "".join(f"\n- {title}" for title in pages)
    return (
        "I found nothing about that in the documentation of this software, and it is all I know: I am no language model, I look"
        f" things up.\n\nWhat I can tell you about:\n{about}\n\nAsk with the words that such a page would use."
    )


def _fitting(blocks: Sequence[str], ranked: Sequence[Found]) -> Iterator[int]:
    room = LENGTH
    for one in ranked:
        room -= len(blocks[one.index])
        if room < 0 and one is not ranked[0]:
            return
        yield one.index


def _cut(block: str) -> str:
    """The lines of a block that fit."""
    if len(block) <= LENGTH:
        return block
    lines: list[str] = []
    for line in block.splitlines():
        if sum(map(len, lines)) + len(line) > LENGTH and lines:
            break
        lines.append(line)
    return "\n".join([*lines, *(["```"] if block.startswith("```") else []), "", "…"])
