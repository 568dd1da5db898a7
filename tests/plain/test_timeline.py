"""P10: the fold of parts is the fold of the whole, in Python and in JavaScript, by shared fixtures and by random logs."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_core.machines.deltas import merge
from sessions_core.protocol.branches import Branches, active_branch
from sessions_core.protocol.events import Event
from sessions_core.protocol.timeline import fold
from sessions_core.protocol.timeline_types import Timeline
from tests.plain.random_log import compacted, logs
from tests.support.random_input import many

ROOT = Path(__file__).parents[2]
FIXTURES = sorted((ROOT / "tests/fixtures/timeline").glob("*.json"))
NODE_S = 50
BEGINNINGS = ("message.posted", "message.started", "message.dequeued")
LISTS = ("messages", "runs", "calls", "asks", "consents")


def shape(timeline: Timeline) -> dict[str, object]:
    """Returns the Timeline in the form of the fixtures."""
    return {
        **{name: as_json(list(getattr(timeline, name).values())) for name in LISTS},
        "queue": as_json(timeline.queue),
        "title": timeline.title,
        "cursor": timeline.cursor,
    }


def branch(timeline: Timeline) -> object:
    """Returns the active branch, and what a screen shows of the Timeline."""
    shown = active_branch(timeline)
    return as_json([Branches(timeline).active(), [*shown.messages], [*shown.runs]])


def as_json(value: object) -> Any:  # noqa: ANN401  # what JSON holds
    return msgspec.json.decode(msgspec.json.encode(value))


def folded(*pieces: Sequence[Event]) -> dict[str, object]:
    timeline = Timeline()
    for piece in pieces:
        fold(timeline, piece)
    return shape(timeline)


def after(log: Sequence[Event], cursor: int) -> list[Event]:
    return [event for event in log if event.seq > cursor]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_folds_the_fixture_at_once_and_at_every_cut(path: Path) -> None:
    fixture = json.loads(path.read_bytes())
    events = msgspec.convert(fixture["events"], list[dict[str, object]])
    log = msgspec.json.decode(msgspec.json.encode(events), type=list[Event])

    results = [folded(log[:cut], log[max(0, cut - 2) :]) for cut in range(len(log) + 1)]

    assert [result for result in results if result != fixture["timeline"]] == []


@given(logs, st.integers(0, 200), st.integers(0, 200))
@settings(max_examples=many(300), deadline=None)
def test_any_beginning_and_the_rest_fold_to_the_whole_compacted_or_not(log: list[Event], cut: int, later: int) -> None:
    whole = folded(log)
    head = log[:cut]
    cursor = head[-1].seq if head else 0
    shorter = compacted(log)

    assert folded(head, log[later:] if later < cut else log[cut:]) == whole
    assert folded(merge(log)) == whole
    assert folded(shorter) == whole
    assert folded(head, after(merge(log), cursor)) == whole
    assert folded(head, after(merge(shorter), cursor)) == whole
    assert folded(shorter[:later], after(log, shorter[:later][-1].seq if shorter[:later] else 0)) == whole


@given(logs)
@settings(max_examples=many(200), deadline=None)
def test_a_page_that_begins_at_a_message_shows_what_the_whole_shows_from_there(log: list[Event]) -> None:
    whole = Timeline()
    fold(whole, log)
    for start in range(0, len(log), 7):
        if log[start].kind not in BEGINNINGS:
            continue
        page = Timeline()
        fold(page, log[start:])
        earlier = {json.loads(bytes(event.data))["message"] for event in log[:start] if event.kind == "message.posted"}
        sent = {json.loads(bytes(event.data))["message"] for event in log[start:] if event.kind == "message.dequeued"}

        shown = {id: each for id, each in whole.messages.items() if each.seq >= log[start].seq}
        assert page.messages == {id: each for id, each in shown.items() if id not in earlier or id in sent}
        assert page.runs == {id: run for id, run in whole.runs.items() if id in page.runs}
        assert {
            str(event.run) for event in log[start:] if event.kind == "message.dequeued" and event.run
        } <= page.runs.keys()


@pytest.mark.hypothesis
def test_javascript_folds_what_python_folds() -> None:
    cases: list[dict[str, object]] = []

    @given(logs, st.integers(0, 60))
    @settings(max_examples=many(200), deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def collect(log: list[Event], cut: int) -> None:
        rest = after(merge(compacted(log)), log[:cut][-1].seq if log[:cut] else 0)
        readings = [[log], [log[:cut], log[max(0, cut - 3) :]], [log[:cut], rest], [merge(compacted(log))]]
        whole = Timeline()
        fold(whole, log)
        cases.append({"readings": readings, "log": log, "cut": cut, "timeline": shape(whole), "branch": branch(whole)})

    collect()
    answer = subprocess.run(
        ["node", "tests/js/fold_many.js"],
        input=msgspec.json.encode(cases),
        cwd=ROOT,
        capture_output=True,
        timeout=NODE_S,
        check=False,
    )

    assert (answer.stdout.decode(), answer.stderr.decode()) == (f"{len(cases)} agree\n", "")
