"""Every `manage.py` command that the Makefile, the README and the docs name exists; `make clean` deletes what it says."""

import os
import re
import subprocess
import sys
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


@pytest.mark.parametrize("data", [False, True])
def test_make_clean_deletes_what_was_installed_and_only_on_demand_the_conversations(
    tmp_path: Path, *, data: bool
) -> None:
    clone, kept = tmp_path / "clone", tmp_path / "data"
    for folder in (clone / ".venv", clone / "node_modules", kept):
        folder.mkdir(parents=True)
    for name in ("bin", "lib", "pyvenv.cfg"):  # links: what they lead to stays
        (clone / ".venv" / name).symlink_to(Path(sys.prefix, name))
    for name in ("Makefile", "manage.py"):
        (clone / name).symlink_to(ROOT / name)
    (kept / "secret_key").write_text("a key")

    subprocess.run(
        ["make", "clean", *(["DATA=1"] if data else [])],
        cwd=clone,
        env={**os.environ, "VAR_DIR": str(kept)},
        check=True,
        capture_output=True,
    )

    assert {left.name for left in clone.iterdir()} == {"Makefile", "manage.py"}
    assert kept.exists() is not data
