import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from msgspec import Struct

_IMAGE: Final = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LOCAL_LINK: Final = re.compile(r"\[([^\]]+)\]\((?!https?://)[^)]*\)")  # broken outside its page
_PARSER: Final = MarkdownIt("commonmark").enable("table")


class Section(Struct, frozen=True):
    """The Markdown below one heading of a page, in blocks. `title` holds the headings above it too: `Operating › Backups`."""

    page: str
    title: str
    blocks: tuple[str, ...]

    @property
    def body(self) -> str:
        return "\n\n".join(self.blocks)


def read(folder: Path) -> tuple[Section, ...]:
    """Returns the sections of the README and of all pages of `docs/` in the folder."""
    pages = [*folder.glob("README.md"), *sorted(folder.glob("docs/**/*.md"))]
    return tuple(
        section for page in pages for section in split(page.read_text("utf-8"), page=str(page.relative_to(folder)))
    )


def split(text: str, *, page: str) -> Iterator[Section]:
    """Yields the sections of one page that hold more than their heading."""
    lines = text.splitlines()
    trail: list[str] = []
    blocks: list[str] = []
    depth = 0
    tokens = _PARSER.parse(text)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.level or token.map is None:
            continue
        if token.type != "heading_open":
            blocks.append(_plain("\n".join(lines[slice(*token.map)])))
            continue
        yield from _section(page, trail, blocks)
        depth, blocks = int(token.tag[1:]), []
        trail = [*trail[: depth - 1], _plain(following.content if following else "")]
    yield from _section(page, trail, blocks)


def _section(page: str, trail: Sequence[str], blocks: Sequence[str]) -> Iterator[Section]:
    filled = tuple(block for block in blocks if block)
    if filled:
        yield Section(page=page, title=" › ".join(trail) or page, blocks=filled)


def _plain(text: str) -> str:
    """Removes pictures and links to other pages, which work only where the page itself is."""
    return _LOCAL_LINK.sub(r"\1", _IMAGE.sub("", text)).strip()
