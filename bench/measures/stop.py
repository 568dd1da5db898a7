"""Measures how soon Stop stops an answer that is being written."""

import json
import urllib.request
from typing import Any

import psycopg

from bench.delivery import percentiles
from bench.measures.result import Result, cell
from chatapp.launcher.embedded.addresses import database_url
from tests.support.machine import Machine
from tests.support.waiting import until

STOPS = 50  # in one round
SCRIPT = {"words": 100_000, "every_ms": 5}


def stop(machine: Machine, rounds: int) -> Result:
    """Measures the time from the request to stop to the end of the Run, by the database's clock."""
    token = machine.manage("issue_token", "bench", "--create").stdout.split()[-1]
    found = [percentiles([_stop(machine, token) for _ in range(STOPS)]) for _ in range(rounds)]
    p99 = max(p99 for _, p99 in found)
    return Result(
        name="Stop, from the request to the end of the Run",
        reach="p99 ≤ 500 ms",
        reached=p99 <= 500,
        found=f"p99 {p99:.0f} ms",
        columns=("p50 ms", "p99 ms"),
        rows=[(cell(found, lambda each: f"{each[0]:.0f}"), cell(found, lambda each: f"{each[1]:.0f}"))],
    )


def _stop(machine: Machine, token: str) -> float:
    """Starts a Run and stops it. Returns the milliseconds that it took."""
    session = _post(machine, "/api/sessions", token, agent="script")["id"]
    _post(machine, f"/api/sessions/{session}/messages", token, text=json.dumps(SCRIPT))
    with psycopg.connect(database_url(machine.folder), autocommit=True) as connection:
        until(lambda: _number(connection, "SELECT head FROM session WHERE id = %s", session) > 10)
        _post(machine, f"/api/sessions/{session}/cancellation", token)
        until(lambda: _number(connection, "SELECT count(ended_at) FROM run WHERE session_id = %s", session))
        took = "SELECT extract(epoch FROM ended_at - cancel_requested_at) * 1000 FROM run WHERE session_id = %s"
        return _number(connection, took, session)


def _number(connection: psycopg.Connection[tuple[Any, ...]], query: str, session: str) -> float:
    row = connection.execute(query, [session]).fetchone()
    assert row is not None
    return float(row[0])


def _post(machine: Machine, path: str, token: str, **fields: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{machine.url}{path}", json.dumps(fields).encode(), headers)
    with urllib.request.urlopen(request) as response:
        answer: dict[str, Any] = json.loads(response.read())
        return answer
