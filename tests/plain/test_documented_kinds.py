"""Python, JavaScript, the Python client and the wire's page know the same event kinds and frames, and no others."""

import re
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final, get_args

import pytest

import sessions_client.frames
from sessions_core.protocol import frames
from sessions_core.protocol.events import KINDS, Fact

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = (ROOT / "docs/reference/wire.md").read_text("utf-8")
EVENTS_JS: Final = (ROOT / "static/js/core/events.js").read_text("utf-8")
FRAMES_JS: Final = (ROOT / "static/js/core/protocol.js").read_text("utf-8")


def tags(union: object) -> set[str]:
    return {frame.__struct_config__.tag for frame in get_args(union)}


FROM_CLIENT: Final = tags(frames.ClientFrame)
FROM_SERVER: Final = tags(frames.ServerFrame) | {"events"}  # its text is put together by the feed


def first_column(heading: str) -> set[str]:
    """The names in the first column of the first table below the heading of the page."""
    section = PAGE.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def typed(text: str, definition: str) -> set[str]:
    """The names in quotes that the definition has in the JSDoc types of a script."""
    return {name for found in re.findall(definition, text, re.DOTALL) for name in re.findall(r'"([^"]+)"', found)}


def test_the_kinds_of_events_are_the_same_everywhere() -> None:
    assert first_column("## Events") == KINDS
    assert typed(EVENTS_JS, r"Numbered<\s*(?:\*\s*)?((?:\"[\w.]+\"(?:\s*\|\s*)?)+),") == KINDS


def test_the_kinds_of_the_script_are_all_in_its_union() -> None:
    union = EVENTS_JS[EVENTS_JS.rindex("@typedef {") : EVENTS_JS.rindex("} LogEvent")]
    assert set(re.findall(r">\} (\w+)", EVENTS_JS)) == set(re.findall(r"[A-Z]\w+", union))


def test_both_folds_apply_the_same_kinds() -> None:
    python = (ROOT / "sessions_core/protocol/timeline.py").read_text("utf-8")
    script = "".join(file.read_text("utf-8") for file in (ROOT / "static/js/core").glob("timeline*.js"))

    applied = {fact.kind for fact in get_args(Fact) if re.search(rf"\b{fact.__name__}\b", python)}
    assert {kind for kind in KINDS if f'"{kind}"' in script} == applied


@pytest.mark.parametrize(("heading", "known"), [("## What you send", FROM_CLIENT), ("## What you get", FROM_SERVER)])
def test_the_page_has_the_frames_that_there_are(heading: str, known: AbstractSet[str]) -> None:
    assert first_column(heading) == known


def test_the_script_has_the_frames_that_there_are() -> None:
    parts = {"text"}
    assert typed(FRAMES_JS, r"\{\s*(?:\*\s*)?type: (\"\w+\")") - parts == FROM_CLIENT | FROM_SERVER


def test_the_client_knows_no_frame_that_the_server_does_not_send() -> None:
    assert tags(sessions_client.frames.ServerFrame) <= FROM_SERVER


def test_the_close_codes_of_the_script_are_the_servers() -> None:
    known = {code for name, code in vars(frames).items() if name.startswith("CLOSE_")}
    own = {int(code) for code in re.findall(r"^  [A-Z_]+: (\d{4}),", FRAMES_JS, re.MULTILINE)}
    assert own - {1000, 1006} <= known  # the browser's own
