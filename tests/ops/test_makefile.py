"""Every `manage.py` command that the Makefile, the README and the docs name exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from django.core.management import get_commands

ROOT: Final = Path(__file__).parents[2]
COMMAND: Final = re.compile(r"manage\.py ([a-z_]+)")


def named() -> Iterator[tuple[str, str]]:
    """Yields each file with each command that it names."""
    for file in (ROOT / "Makefile", *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")):
        for command in sorted(set(COMMAND.findall(file.read_text()))):
            yield file.relative_to(ROOT).as_posix(), command


def test_the_makefile_names_commands() -> None:
    assert {command for file, command in named() if file == "Makefile"} >= {"up", "delete_data"}


@pytest.mark.parametrize(("file", "command"), list(named()))
def test_the_command_exists(file: str, command: str) -> None:
    assert command in get_commands(), f"{file} names `manage.py {command}`"
