"""What code, tests and pages name is there: files, headings, anchors, targets of make."""

import re
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDERS: Final = (
    "sessions_core",
    "agents",
    "chatapp",
    "sessions_client",
    "static",
    "templates",
    "tests",
    "bench",
    "docs",
    "requirements",
)
READ: Final = frozenset({".py", ".js", ".css", ".html", ".md", ".yaml"})
NOT_OURS: Final = frozenset({".git", ".venv", "node_modules", "var", "build", "dist"})
# Files that a page tells its reader to make, and an address that is not there.
EXAMPLES: Final = frozenset({"agents/catalogue/skimmer.py", "agents/catalogue/tea.py", "agents/x"})

PAGE: Final = re.compile(r"(?<![\w./*-])([\w./-]*\w\.md)\b")
NUMBERED: Final = re.compile(r"\.md\)? §")
HEADING: Final = re.compile(r"([\w./-]+\.md)`? › ([^`\n\")]+)")
PATH: Final = re.compile(rf"(?<![\w./{{-])((?:{'|'.join(FOLDERS)})/[\w./{{}},*-]*)")
QUOTED: Final = re.compile(r"`([\w.-]+(?:/[\w.-]+)+\.(?:py|js|css|html|json|toml|txt))`")
LINK: Final = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
TARGET: Final = re.compile(r"`make ([a-z][a-z-]*)")


def sources() -> list[Path]:
    top = [path for path in ROOT.iterdir() if path.suffix in READ or path.name == "Makefile"]
    below = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in READ]
    return sorted(path for path in top + below if path.is_file() and not NOT_OURS & set(path.relative_to(ROOT).parts))


SOURCES: Final = {path: path.read_text("utf-8") for path in sources()}


def cited(pattern: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    """Each match with the file that it is in."""
    return ((file, found) for file, text in SOURCES.items() for found in pattern.finditer(text))


def report(wrong: Iterable[tuple[Path, str]]) -> str:
    """One line for each file and what it names; empty where nothing is wrong."""
    return "\n".join(sorted({f"{file.relative_to(ROOT)}: {name}" for file, name in wrong}))


def expanded(path: str) -> list[str]:
    """`a/{b,c}` as `a/b` and `a/c`; without the full stop of its sentence."""
    pieces = re.split(r"\{([^}]*)\}", path.rstrip(".,-"))
    return [
        "".join(one) for one in product(*(piece.split(",") if n % 2 else [piece] for n, piece in enumerate(pieces)))
    ]


def is_there(path: str, *, beside: Path) -> bool:
    bases = (ROOT, beside.parent, ROOT / "static/js", ROOT / "templates")
    path = path.removeprefix("ds/")  # of the import map: static/js
    return path in EXAMPLES or any((base / path).exists() or ("*" in path and any(base.glob(path))) for base in bases)


def headings(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL) if page.exists() else ""
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings(page)}


def leads_somewhere(link: str, page: Path) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


def test_there_is_something_to_look_through() -> None:
    assert len([file for file in SOURCES if file.suffix == ".md"]) > 20
    assert len(SOURCES) > 300


def test_each_page_that_is_named_is_there() -> None:
    wrong = report((file, found[1]) for file, found in cited(PAGE) if not is_there(found[1], beside=file))
    assert not wrong, wrong


def test_no_page_is_named_by_the_number_of_a_section() -> None:
    wrong = report((file, found[0]) for file, found in cited(NUMBERED))
    assert not wrong, wrong


def test_each_heading_that_is_named_is_there() -> None:
    wrong = report(
        (file, found[0])
        for file, found in cited(HEADING)
        if not any(found[2].startswith(heading) for heading in headings(ROOT / found[1]))
    )
    assert not wrong, wrong


def test_each_link_of_a_page_leads_somewhere() -> None:
    pages = ((file, link) for file, text in SOURCES.items() if file.suffix == ".md" for link in LINK.findall(text))
    wrong = report((file, link) for file, link in pages if not leads_somewhere(link, file))
    assert not wrong, wrong


def test_each_path_that_is_named_is_there() -> None:
    named = ((file, path) for one in (PATH, QUOTED) for file, found in cited(one) for path in expanded(found[1]))
    wrong = report((file, path) for file, path in named if not is_there(path, beside=file))
    assert not wrong, wrong


def test_each_target_of_make_that_is_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", SOURCES[ROOT / "Makefile"], re.MULTILINE))
    wrong = report((file, found[0]) for file, found in cited(TARGET) if found[1] not in targets)
    assert not wrong, wrong
