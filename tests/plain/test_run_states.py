"""The states of a Run stand once, in `sessions_core/protocol/run_states.py`. What cannot import them is compared here."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from sessions_core.protocol.run_states import ACTIVE, INITIAL, TERMINAL, TRANSITIONS, RunState

ROOT = Path(__file__).parents[2]
HOMES = {
    "sessions_core/protocol/run_states.py",
    "sessions_core/migrations/0001_initial.py",
    "static/js/core/run-states.js",
}
SOURCES = {
    "agents": "*.py",
    "bench": "*.py",
    "chatapp": "*.py",
    "sessions_core": "*.py",
    "static/js": "*.js",
    "templates": "*",
}
LIST = re.compile(r"""(?:["']\w+["']\s*[,|]\s*)+["']\w+["']""")
IN_SQL = re.compile(r"\bstate\s*(?:=|<>|!=|IN\s*\()\s*'\w+'")
MOVE = re.compile(r"^\| `(\w+)` \| `(\w+)` \|", re.MULTILINE)


def sources() -> Iterator[tuple[str, str]]:
    for folder, pattern in SOURCES.items():
        for path in (ROOT / folder).rglob(pattern):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and name not in HOMES and "vendor" not in name:
                yield name, path.read_text()


def spelled(text: str) -> list[str]:
    """Returns the lists that hold nothing but states, and the states in SQL."""
    lists = [found for found in LIST.findall(text) if set(re.findall(r"\w+", found)) <= {*RunState}]
    return lists + IN_SQL.findall(text)


def reachable(state: RunState) -> set[RunState]:
    found, new = set[RunState](), {state}
    while new:
        found |= new
        new = {following for one in new for following in TRANSITIONS[one]} - found
    return found


def test_every_state_is_reached_and_every_active_one_can_end() -> None:
    assert reachable(INITIAL) == {*RunState}
    assert [state for state in ACTIVE if not reachable(state) & {*TERMINAL}] == []


def test_javascript_has_the_same_states() -> None:
    fixture = json.loads((ROOT / "tests/fixtures/run_states.json").read_bytes())

    assert fixture == {"active": [*ACTIVE], "terminal": [*TERMINAL]}


def test_the_docs_list_the_same_moves() -> None:
    documented = MOVE.findall((ROOT / "docs/topics/runs.md").read_text())

    assert sorted(documented) == sorted((state, after) for state in RunState for after in TRANSITIONS[state])


def test_no_other_file_spells_the_states() -> None:
    assert spelled("""["requested", 'running'] "failed" | "complete" state = 'running'""") == [
        """"requested", 'running'""",
        "state = 'running'",
    ]
    assert {name: found for name, text in sources() if (found := spelled(text))} == {}
