"""A new agent is a new file or folder in agents/catalogue/, and no edit anywhere else."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from agents import catalogue
from agents.sdk import registry
from sessions_core import bridge
from tests.agents.facts import completed, ends, text
from tests.agents.harness import Harness

ROOT: Final = Path(__file__).parents[2]
CATALOGUE: Final = "agents/catalogue"
SOURCES: Final = ("agents", "chatapp", "sessions_client", "sessions_core")
LIST_AGENTS: Final = """
import django
django.setup()
from agents import tasks
from chatapp.celery import app
from sessions_core.services.dispatch import dispatcher
app.finalize()
print({agent.name for agent in dispatcher().agents()} & {name.removeprefix("agents.") for name in app.tasks})
"""
CHECK_CONTRACTS: Final = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
AGENT: Final = """
from agents.sdk import AgentRun, agent
{more}

@agent("{name}", title="{name}", description="")
async def answer(run: AgentRun) -> None: ...
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the sources, with a new agent that is a file and one that is a folder."""
    for package in SOURCES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / CATALOGUE / "single.py").write_text(AGENT.format(name="single", more=""))
    folder = tmp_path / CATALOGUE / "folder"
    folder.mkdir()
    (folder / "words.py").write_text('WORDS = "hello"')
    imports = "from agents.catalogue.folder.words import WORDS"
    (folder / "__init__.py").write_text(AGENT.format(name="folder", more=imports))
    return tmp_path


def test_a_new_file_and_a_new_folder_are_listed_and_have_tasks(copy: Path) -> None:
    listed = python(copy, LIST_AGENTS)

    assert "'single'" in listed.stdout, listed.stderr
    assert "'folder'" in listed.stdout


def test_the_contracts_hold_for_new_agents(copy: Path) -> None:
    greedy = AGENT.format(name="greedy", more="from agents.runner.runner import Runner")
    (copy / CATALOGUE / "greedy.py").write_text(greedy)

    contracts = python(copy, CHECK_CONTRACTS)

    assert contracts.returncode == 1
    assert "agents.catalogue.greedy -> agents.runner.runner" in contracts.stdout
    assert "agents.catalogue.single" not in contracts.stdout
    assert "agents.catalogue.folder" not in contracts.stdout


@pytest.fixture
def more_agents(tmp_path: Path) -> Iterator[Path]:
    """A folder whose files count as those of agents/catalogue/."""
    catalogue.__path__.append(str(tmp_path))
    yield tmp_path
    catalogue.__path__.remove(str(tmp_path))
    sys.modules.pop("agents.catalogue.skimmer", None)
    registry._registered.pop("skimmer", None)


@pytest.mark.django_db(transaction=True)
async def test_the_example_of_the_documentation_runs(harness: Harness, more_agents: Path) -> None:
    page = (ROOT / "docs/how-to/write-an-agent.md").read_text()
    (more_agents / "skimmer.py").write_text(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0])
    registry._import_catalogue.cache_clear()

    await harness.execute(await harness.post("A b. C d.\n\nE! F.", agent="skimmer"))

    assert await bridge.run(ends, harness.session) == ["run.completed"]
    assert text(await bridge.run(completed, harness.session)) == "- A b.\n- E!\n"


def python(folder: Path, code: str) -> "subprocess.CompletedProcess[str]":
    """Runs the code on the sources in the folder."""
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
