"""The page's layout, by the fixtures that JavaScript has too, and by chance in both languages."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from chatapp.pages import ask_view, tool_call
from chatapp.pages.layout import Answer, Exchange, Item, is_long, lay_out, queue_of
from chatapp.pages.run_status import Reader
from chatapp.pages.strings import STRINGS
from chatapp.pages.wording import number_text
from sessions_core.protocol.events import Event
from sessions_core.protocol.timeline import fold
from sessions_core.protocol.timeline_types import Ask, Message, MessagePart, Timeline, ToolCall
from tests.plain.random_log import logs
from tests.support.random_input import many

ROOT: Final = Path(__file__).parents[2]
FIXTURES: Final = sorted((ROOT / "tests/fixtures/layout").glob("*.json"))
TEXTS: Final = json.loads((ROOT / "tests/fixtures/layout_texts.json").read_bytes())
READER: Final = Reader(me="2", agents={"guide": "The Guide"})
NODE_S: Final = 50


def shape(timeline: Timeline, reader: Reader) -> dict[str, Any]:
    """Returns the layout as the fixtures write it."""
    queue = queue_of(timeline)
    return {
        "exchanges": [shape_of_exchange(exchange, reader) for exchange in lay_out(timeline, reader)],
        "queue": {"messages": [message.id for message in queue.messages], "paused": queue.paused},
    }


def shape_of_exchange(exchange: Exchange, reader: Reader) -> dict[str, Any]:
    return {
        "id": exchange.id,
        "seq": exchange.seq,
        "message": exchange.message and exchange.message.id,
        "note": exchange.note,
        "answers": [shape_of_answer(answer, reader) for answer in exchange.answers],
    }


def shape_of_answer(answer: Answer, reader: Reader) -> dict[str, Any]:
    return {
        "id": answer.id,
        "run": answer.run and answer.run.id,
        "items": [shape_of_item(item, answer.items, reader) for item in answer.items],
        "status": answer.status and msgspec.structs.asdict(answer.status),
    }


def shape_of_item(item: Item, items: list[Item], reader: Reader) -> dict[str, Any]:
    match item:
        case Message():
            return {"message": item.id}
        case Ask():
            outcome, rows = ask_view.outcome(item, reader), [list(row) for row in ask_view.rows(item)]
            return {"ask": item.id, "why_not": ask_view.why_not(item, reader), "outcome": outcome, "rows": rows}
        case ToolCall():
            state, output = tool_call.state_text(item, items), tool_call.output_text(item)
            return {"call": item.id, "state": state, "input": tool_call.json_text(item.input), "output": output}


def laid_out(log: list[Event], reader: Reader) -> dict[str, Any]:
    timeline = Timeline()
    fold(timeline, log)
    return shape(timeline, reader)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_lays_out_the_fixture(path: Path) -> None:
    fixture = json.loads(path.read_bytes())
    log = msgspec.json.decode(msgspec.json.encode(fixture["events"]), type=list[Event])

    reader = Reader(me=fixture["me"], agents=fixture["agents"], role=fixture.get("role", "owner"))
    assert laid_out(log, reader) == {"exchanges": fixture["exchanges"], "queue": fixture["queue"]}


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
        cases.append({"log": log, "laid_out": laid_out(log, READER)})

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
