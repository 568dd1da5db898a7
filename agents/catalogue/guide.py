"""Answers questions about this software from its own documentation, without a model. The default agent while no model is set."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Final

from django.conf import settings

from agents.sdk import AgentRun, agent
from agents.tools.documentation.ranking import RankedText, has_only_stop_words, rank
from agents.tools.documentation.sections import Section, read
from sessions_core import bridge

MAX_SECTIONS: Final = 3  # in one answer
MAX_LENGTH: Final = 1200  # code points quoted of one section; the page has the rest
PAUSE_S: Final = 0.025  # between words: a pace at which people read along, and can reload or stop in between

# A section answers a question when it covers at least MIN_COVERAGE of it, by weight, and shares MIN_WORDS words with it, or one
# word that is in its title or in it many times (MIN_SCORE). Below NEAR_BEST times the best score it only distracts.
MIN_COVERAGE: Final = 0.3
MIN_WORDS: Final = 2
MIN_SCORE: Final = 0.25
NEAR_BEST: Final = 0.6

# No question, though the documentation would answer it: its “hello” is a frame.
_GREETING: Final = re.compile(
    r"\W*(hello|hi|hey|good (morning|day|evening)|help|test(ing)?)( there| you)?\W*", re.IGNORECASE
)
_WORD: Final = re.compile(r"\s*\S+\s*?")


@agent(
    "guide", title="Guide", description="Answers questions about this software from its documentation. Needs no model."
)
async def guide(run: AgentRun) -> None:
    """Quotes the sections that answer the question, and names their pages."""
    library = read_library()
    found = await bridge.run(find_sections, run.input, library)
    answer = await bridge.run(quote, run.input, found) if found else no_answer(library)
    async with run.message() as message:
        for word in _WORD.findall(answer):
            await message.append(word)
            await asyncio.sleep(PAUSE_S)


@cache
def read_library() -> tuple[Section, ...]:
    """Returns all sections of the documentation; read once in each process."""
    return read(Path(settings.FILES_DIR))


def find_sections(question: str, library: Sequence[Section]) -> list[Section]:
    """Returns the sections that answer the question, the best first; none when the documentation has no answer."""
    if _GREETING.fullmatch(question):
        return []
    if len(re.findall(r"\w+", question)) > 1 and has_only_stop_words(question):
        return list(library[:1])  # “what is this?”: the beginning of the README
    ranked = [text for text in rank(question, [(section.title, section.body) for section in library]) if _answers(text)]
    near_best = takewhile(lambda text: text.score >= NEAR_BEST * ranked[0].score, ranked)
    return [library[text.index] for text in near_best][:MAX_SECTIONS]


def quote(question: str, sections: Sequence[Section]) -> str:
    """Returns the answer in Markdown: an excerpt of each section, then the pages that they are from."""
    quoted = [f"### {section.title.rsplit(' › ', 1)[-1]}\n\n{excerpt(question, section)}" for section in sections]
    sources = " · ".join(f"`{section.page}` › {section.title.split(' › ', 1)[-1]}" for section in sections)
    return "\n\n".join([*quoted, f"From: {sources}"])


def excerpt(question: str, section: Section) -> str:
    """Returns the section; of a long one, the paragraphs that answer the question best, in their order."""
    if len(section.body) <= MAX_LENGTH:
        return section.body
    ranked = rank(question, [("", block) for block in section.blocks])
    chosen = sorted(_within_length(section.blocks, ranked)) or [0]
    return "\n\n".join(_shorten(section.blocks[index]) for index in chosen)


def no_answer(library: Sequence[Section]) -> str:
    """Returns the answer when nothing was found: that it was not, and what can be asked."""
    pages = dict.fromkeys(section.title.split(" › ", 1)[0] for section in library)
    about = "".join(f"\n- {title}" for title in pages)
    return (
        "I found nothing about that in the documentation of this software, and it is all I know: I am no language model, I look"
        f" things up.\n\nWhat I can tell you about:\n{about}\n\nAsk with the words that such a page would use."
    )


def _answers(text: RankedText) -> bool:
    return text.coverage >= MIN_COVERAGE and (text.words >= min(MIN_WORDS, text.words_asked) or text.score >= MIN_SCORE)


def _within_length(blocks: Sequence[str], ranked: Sequence[RankedText]) -> Iterator[int]:
    """Yields the indexes of the best blocks that together are not too long; always the best one."""
    left = MAX_LENGTH
    for text in ranked:
        left -= len(blocks[text.index])
        if left < 0 and text is not ranked[0]:
            return
        yield text.index


def _shorten(block: str) -> str:
    """Returns the first lines of a block that is too long, and closes its fence."""
    if len(block) <= MAX_LENGTH:
        return block
    lines: list[str] = []
    for line in block.splitlines():
        if sum(map(len, lines)) + len(line) > MAX_LENGTH and lines:
            break
        lines.append(line)
    return "\n".join([*lines, *(["```"] if block.startswith("```") else []), "", "…"])
