"""The picture of the rooms in docs/topics/architecture.md is that of the import contracts."""

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PICTURE: Final = (ROOT / "docs/topics/architecture.md").read_text("utf-8").split("## Rooms")[1].split("```")[1]
CONTRACTS: Final = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
LAYERS: Final = {one["containers"][0]: one["layers"] for one in CONTRACTS if "containers" in one}


@pytest.mark.parametrize("package", sorted(LAYERS))
def test_the_picture_has_the_floors_of(package: str) -> None:
    floors = PICTURE.split(f"\n{package}/\n")[1].split("\n\n")[0].splitlines()
    drawn = [re.split(r" {2,}", floor.strip())[0].split() for floor in floors]

    assert [set(names) for names in drawn] == [set(layer.split(" | ")) for layer in LAYERS[package]]
