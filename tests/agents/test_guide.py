"""The Guide finds what the documentation holds, and says so when it holds nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings

from agents.catalogue import guide
from agents.tools.documentation.sections import Section, read, split

PAGE: Final = """# Operating

![a picture](picture.png) Everything about running it.

## Settings

`PORT` is the port that the web server listens on. See [the wire](docs/reference/wire.md).

| name | what |
| --- | --- |
| `CHAT_MODEL` | the model that answers |

## Backups

### Taking one

Use pg_dump; the log is in PostgreSQL.

```
# not a heading
pg_dump chat
```

## Empty
"""

pytestmark = pytest.mark.django_db


@pytest.fixture
def library() -> Sequence[Section]:
    return tuple(split(PAGE, page="docs/reference/settings.md"))


def test_a_page_is_split_at_its_headings(library: Sequence[Section]) -> None:
    titles = [section.title for section in library]

    assert titles == ["Operating", "Operating › Settings", "Operating › Backups › Taking one"]
    assert "# not a heading" in library[2].body


def test_pictures_and_local_links_are_left_out(library: Sequence[Section]) -> None:
    assert library[0].body == "Everything about running it."
    assert "See the wire." in library[1].body


def test_the_best_section_comes_first(library: Sequence[Section]) -> None:
    assert guide.find_sections("How do I take a backup?", library)[0].title == "Operating › Backups › Taking one"
    assert guide.find_sections("on which port does it listen?", library)[0].title == "Operating › Settings"
    assert guide.find_sections("CHAT_MODEL", library)[0].title == "Operating › Settings"


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "hello",
        "Hi there!",
        "",
        "???",
        "the",
        "'); --",
        "Tell me a joke about taking trains",
    ],
)
def test_a_question_about_something_else_finds_nothing(library: Sequence[Section], question: str) -> None:
    assert guide.find_sections(question, library) == []


def test_what_is_this_is_answered_by_the_first_section(library: Sequence[Section]) -> None:
    assert guide.find_sections("What is this?", library) == [library[0]]


def test_an_answer_names_its_pages(library: Sequence[Section]) -> None:
    answer = guide.quote("port", guide.find_sections("port", library))

    assert answer.startswith("### Settings\n\n`PORT` is the port")
    assert answer.endswith("From: `docs/reference/settings.md` › Settings")


def test_without_an_answer_it_says_so_and_lists_the_pages(library: Sequence[Section]) -> None:
    assert guide.no_answer(library).startswith("I found nothing about that")
    assert "- Operating" in guide.no_answer(library)


def test_a_long_section_is_quoted_in_part() -> None:
    paragraphs = [f"Paragraph {n} is about gardening. " + "And so on. " * 20 for n in range(20)]
    paragraphs[13] = "The printer needs toner."
    section = Section(page="p", title="T", blocks=tuple(paragraphs))

    excerpt = guide.excerpt("printer toner", section)

    assert "The printer needs toner." in excerpt
    assert len(excerpt) <= guide.MAX_LENGTH


def test_a_long_block_is_cut_at_a_line_and_its_fence_closed() -> None:
    block = "```\n" + "line of code\n" * 500 + "```"

    excerpt = guide.excerpt("code", Section(page="p", title="T", blocks=(block,)))

    assert excerpt.endswith("```\n\n…")
    assert len(excerpt) <= guide.MAX_LENGTH + 100


@pytest.mark.parametrize(
    ("question", "cited"),
    [
        ("How do I write an agent?", "docs/how-to/write-an-agent.md"),
        ("how do I set a model", "docs/how-to/connect-a-model.md"),
        ("What does the script agent do?", "docs/reference/sdk.md"),
        ("what happens to an answer when the worker is killed", "docs/topics/runs.md"),
    ],
)
def test_our_own_documentation_answers(question: str, cited: str) -> None:
    found = guide.find_sections(question, read(Path(settings.BASE_DIR)))

    assert cited in {section.page for section in found}
