"""The active branch of a Timeline, by the fixtures that JavaScript has too. test_timeline.py compares both by chance."""

import json
from pathlib import Path
from typing import Final

import msgspec
import pytest

from sessions_core.protocol.branches import Branches, active_branch
from sessions_core.protocol.events import Event
from sessions_core.protocol.timeline import fold
from sessions_core.protocol.timeline_types import Timeline

FIXTURES: Final = sorted((Path(__file__).parents[2] / "tests/fixtures/branches").glob("*.json"))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_finds_the_active_branch(path: Path) -> None:
    fixture = json.loads(path.read_bytes())
    timeline = Timeline()
    fold(timeline, msgspec.json.decode(msgspec.json.encode(fixture["events"]), type=list[Event]))

    shown = active_branch(timeline)

    assert msgspec.to_builtins(Branches(timeline).active()) == fixture["branch"]
    assert sorted(shown.messages) == fixture["messages"]
    assert sorted(shown.runs) == fixture["runs"]


def test_a_log_that_names_itself_as_its_parent_has_an_end() -> None:
    """No such log is written. A page that never ends would be worse than a wrong one."""
    fixture = json.loads((FIXTURES[0]).read_bytes())
    fixture["events"][0]["data"]["parent"] = fixture["messages"][-1]
    timeline = Timeline()
    fold(timeline, msgspec.json.decode(msgspec.json.encode(fixture["events"]), type=list[Event]))

    assert len(Branches(timeline).active()) == 1
