"""Finding the agents. What one file does wrong is not the others' trouble, and is told with its place."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.checks import run_checks

from agents import catalogue
from agents.sdk import AgentRun, agent, registry, tool
from agents.sdk.registration import DESCRIPTION_CHARACTERS, NAME_CHARACTERS, TITLE_CHARACTERS, BadAgent
from sessions_core import bridge
from tests.agents.facts import ends
from tests.agents.harness import Harness

AGENT: Final = """
from agents.sdk import AgentRun, agent

@agent("{name}", title="Another", description="")
async def answer(run: AgentRun) -> None: ...
"""


async def nothing(run: AgentRun) -> None: ...


@tool
async def look_up(run: AgentRun) -> None:
    """Looks up."""


def blocking(run: AgentRun) -> None: ...


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Adds a file to the catalogue, to be found at the next look."""
    registry.agents()
    known = {name: [*found] for name, found in registry._registered.items()}
    catalogue.__path__.append(str(tmp_path))

    def write(name: str, text: str) -> Path:
        file = tmp_path / f"{name}.py"
        file.write_text(text)
        registry._import_catalogue.cache_clear()
        return file

    yield write
    catalogue.__path__.remove(str(tmp_path))
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(f"agents.catalogue.{file.stem}", None)
    registry._registered.clear()
    registry._registered.update(known)
    registry._import_catalogue.cache_clear()


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("\nimport nothing_of_that_name", 2, "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("import sys\nsys.exit('no')", 2, "SystemExit: no"),
        ("\n\ndef (", 3, "SyntaxError: invalid syntax"),
        ("import json\n\njson.loads('')", 3, "JSONDecodeError: Expecting value"),
        (AGENT.format(name="late") + "1 / 0", 6, "ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_that_cannot_be_imported_harms_no_other_agent(
    folder: Callable[..., Path], text: str, line: int, reason: str
) -> None:
    file = folder("broken", text)

    (problem,) = registry.problems()

    assert problem.code == "E001"
    assert problem.sentence.startswith(f"{file}, line {line}, cannot be imported, so its agents are not used: {reason}")
    assert "\n" not in problem.sentence
    assert "guide" in registry.agents()
    assert "late" not in registry.agents()


def test_of_two_agents_with_one_name_neither_is_used_and_both_places_are_told(folder: Callable[..., Path]) -> None:
    first = folder("aaa", AGENT.format(name="guide"))

    (problem,) = registry.problems()

    assert problem.code == "E003"
    assert f"{first}, line 4" in problem.sentence
    assert "agents/catalogue/guide.py, line " in problem.sentence
    assert "guide" not in registry.agents()
    assert "assistant" in registry.agents()


def test_two_of_one_name_in_one_file_are_told_as_well(folder: Callable[..., Path]) -> None:
    file = folder("twice", AGENT.format(name="twice") + AGENT.format(name="twice"))

    (problem,) = registry.problems()

    assert problem.sentence.count(f"{file}, line ") == 2
    assert "twice" not in registry.agents()


def test_what_is_wrong_is_among_djangos_checks(folder: Callable[..., Path]) -> None:
    assert run_checks(tags=["agents"]) == []
    folder("broken", "import nothing_of_that_name")
    folder("shy", AGENT.format(name="Shy!"))
    folder("aaa", AGENT.format(name="guide"))

    assert sorted(str(error.id) for error in run_checks(tags=["agents"])) == [
        "agents.E001",
        "agents.E002",
        "agents.E003",
    ]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"name": ""}, "cannot be called “”"),
        ({"name": "Guide"}, "cannot be called “Guide”: a name begins with a letter, and has small letters"),
        ({"name": "a.b"}, "cannot be called “a.b”"),
        ({"name": "1st"}, "cannot be called “1st”"),
        ({"name": "a" * (NAME_CHARACTERS + 1)}, f"has {NAME_CHARACTERS + 1} characters; at most {NAME_CHARACTERS}"),
        ({"name": 7}, "The name of an agent is not a text but 7"),
        ({"title": " "}, "has no title"),
        ({"title": "x" * (TITLE_CHARACTERS + 1)}, f"has {TITLE_CHARACTERS + 1} characters"),
        ({"title": "two\nlines"}, "holds a line break"),
        ({"title": "a\ud800b"}, "cannot be shown"),
        ({"description": "a\x00b"}, "cannot be shown"),
        ({"description": "x" * (DESCRIPTION_CHARACTERS + 1)}, f"at most {DESCRIPTION_CHARACTERS} are possible"),
        ({"function": blocking}, "is not `async def`"),
        ({"version": 0}, "The version of the agent “fine” is 0: it has to be a whole number from 1 on"),
        ({"version": "2.1"}, "is '2.1'"),
        ({"tools": [nothing]}, "as a tool: write `@tool` above the function"),
        ({"tools": [look_up, look_up]}, "has two tools called “look_up”"),
    ],
)
def test_what_cannot_be_kept_or_shown_cannot_be_registered(changed: dict[str, Any], sentence: str) -> None:
    given: dict[str, Any] = {"name": "fine", "title": "Fine", "description": "", "function": nothing, **changed}
    name, function = given.pop("name"), given.pop("function")

    with pytest.raises(BadAgent, match=f".*{sentence}"):
        agent(name, **given)(function)

    assert name not in registry.agents()


@pytest.mark.django_db(transaction=True)
async def test_the_longest_registration_answers(harness: Harness) -> None:
    name = "a" * NAME_CHARACTERS
    agent(name, title="日" * TITLE_CHARACTERS, description="x" * DESCRIPTION_CHARACTERS)(nothing)

    await harness.execute(await harness.post("hello", agent=name))

    assert await bridge.run(ends, harness.session) == ["run.completed"]
    registry._registered.pop(name)
