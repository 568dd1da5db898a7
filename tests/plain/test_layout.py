"""The page's layout, by the fixtures that JavaScript has too, and by chance in both languages."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from chatapp.pages.layout import Answer, Exchange, Reader, is_long, lay_out, number_text
from chatapp.pages.strings import STRINGS
from sessions_core.protocol.events import Event
from sessions_core.protocol.timeline import fold
from sessions_core.protocol.timeline_types import MessagePart, Timeline
from tests.plain.random_log import logs
from tests.support.random_input import many

ROOT: Final = Path(__file__).parents[2]
FIXTURES: Final = sorted((ROOT / "tests/fixtures/layout").glob("*.json"))
TEXTS: Final = json.loads((ROOT / "tests/fixtures/layout_texts.json").read_bytes())
READER: Final = Reader(me="2", agents={"guide": "The Guide"})
NODE_S: Final = 50


def shape(exchange: Exchange) -> dict[str, Any]:
    """As the fixtures write it."""
    return {
        "id": exchange.id,
        "seq": exchange.seq,
        "message": exchange.message and exchange.message.id,
        "answers": [shape_of_answer(answer) for answer in exchange.answers],
    }


def shape_of_answer(answer: Answer) -> dict[str, Any]:
    return {
        "id": answer.id,
        "run": answer.run and answer.run.id,
        "messages": [message.id for message in answer.messages],
        "status": answer.status and msgspec.structs.asdict(answer.status),
    }


def laid_out(log: list[Event], reader: Reader) -> list[dict[str, Any]]:
    timeline = Timeline()
    fold(timeline, log)
    return [shape(exchange) for exchange in lay_out(timeline, reader)]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_lays_out_the_fixture(path: Path) -> None:
    fixture = json.loads(path.read_bytes())
    log = msgspec.json.decode(msgspec.json.encode(fixture["events"]), type=list[Event])

    assert laid_out(log, Reader(me=fixture["me"], agents=fixture["agents"])) == fixture["exchanges"]


def test_the_fixtures_use_the_sentences_of_the_page() -> None:
    assert {key: str(STRINGS[key]) for key in TEXTS["strings"]} == TEXTS["strings"]


def test_numbers_are_written_as_javascript_writes_them() -> None:
    assert [[number, number_text(number)] for number, _ in TEXTS["numbers"]] == TEXTS["numbers"]


def test_long_messages_are_counted_in_code_points_and_lines() -> None:
    cases = TEXTS["long_texts"]

    assert [is_long([MessagePart("text", case["piece"] * case["times"])]) for case in cases] == [
        case["long"] for case in cases
    ]


@pytest.mark.hypothesis
def test_javascript_lays_out_what_python_lays_out() -> None:
    cases: list[dict[str, object]] = []

    @given(logs)
    @settings(max_examples=many(200), deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def collect(log: list[Event]) -> None:
        cases.append({"log": log, "exchanges": laid_out(log, READER)})

    collect()
    answer = subprocess.run(
        ["node", "tests/js/layout_many.js"],
        input=msgspec.json.encode({"reader": READER, "cases": cases}),
        cwd=ROOT,
        capture_output=True,
        timeout=NODE_S,
        check=False,
    )

    assert (answer.stdout.decode(), answer.stderr.decode()) == (f"{len(cases)} agree\n", "")
