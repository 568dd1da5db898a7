"""Sessions of the fault suite, created through the API and watched in the database."""

from collections.abc import Sequence
from typing import Final

import httpx

from tests.faults.processes import Process
from tests.faults.system import Person, System
from tests.support.waiting import DEADLINE_S

_JOIN: Final = """
    INSERT INTO participant (session_id, user_id, role) SELECT %s::uuid, unnest(%s::int[]), 'editor' ON CONFLICT DO NOTHING
"""
_HEADS: Final = "SELECT id::text, head FROM session WHERE id = ANY(%s::uuid[])"
_ACTIVE: Final = """
    SELECT id::text || ' ' || state || ' attempt ' || attempt FROM run
    WHERE session_id = ANY(%s::uuid[]) AND ended_at IS NULL
"""
_WAITS: Final = """
    SELECT waiting.pid, left(waiting.query, 60), 'behind', holder.pid, holder.state, left(holder.query, 60)
    FROM pg_stat_activity waiting CROSS JOIN LATERAL unnest(pg_blocking_pids(waiting.pid)) blocking
    JOIN pg_stat_activity holder ON holder.pid = blocking
"""
_HELD: Final = """
    SELECT count(*) FROM run WHERE session_id = ANY(%s::uuid[]) AND ended_at IS NULL AND worker LIKE %s
"""


async def create(system: System, people: Sequence[Person], *, count: int) -> list[str]:
    """Creates Sessions that all the people take part in; they own them by turns."""
    url = f"http://127.0.0.1:{system.web.environment['PORT']}/api/sessions"
    made: list[str] = []
    async with httpx.AsyncClient(timeout=DEADLINE_S) as client:
        for n in range(count):
            owner = people[n % len(people)]
            headers = {"Authorization": f"Bearer {owner.token}"}
            answer = await client.post(url, json={"title": f"Session {n}", "agent": "script"}, headers=headers)
            assert answer.status_code == 201, answer.text
            made.append(answer.json()["id"])
    with system.connect() as connection:
        for session in made:
            connection.execute(_JOIN, [session, [person.id for person in people]])
    return made


async def ask(system: System, by: Person, session: str, text: str, *, agent: str) -> str:
    """Posts the text for that agent; returns the Run."""
    url = f"http://{system.web_address}/api/sessions/{session}/messages"
    body = {"agent": agent, "parts": [{"type": "text", "text": text}]}
    async with httpx.AsyncClient(timeout=DEADLINE_S, headers={"Authorization": f"Bearer {by.token}"}) as client:
        answer = await client.post(url, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["run"])


def heads(system: System, sessions: Sequence[str]) -> dict[str, int]:
    """Returns the head of each log."""
    with system.connect() as connection:
        rows = connection.execute(_HEADS, [list(sessions)]).fetchall()
    return {str(session): int(str(head)) for session, head in rows}


def active(system: System, sessions: Sequence[str]) -> list[str]:
    """Describes the Runs that have not ended."""
    with system.connect() as connection:
        return [str(row[0]) for row in connection.execute(_ACTIVE, [list(sessions)])]


def attempts(system: System, sessions: Sequence[str]) -> set[int]:
    """Returns the numbers of attempts that the Runs have had."""
    with system.connect() as connection:
        rows = connection.execute(
            "SELECT DISTINCT attempt FROM run WHERE session_id = ANY(%s::uuid[])", [list(sessions)]
        )
        return {int(str(row[0])) for row in rows}


def waits(system: System) -> list[str]:
    """Describes the statements that wait for a lock, and the connections that hold it."""
    with system.connect() as connection:
        return [" ".join(map(str, row)) for row in connection.execute(_WAITS)]


def held(system: System, sessions: Sequence[str], worker: Process) -> int:
    """Returns how many of the Runs that have not ended were last claimed by that worker."""
    with system.connect() as connection:
        row = connection.execute(_HELD, [list(sessions), f"%:{worker.pid}:%"]).fetchone()
    assert row is not None
    return int(str(row[0]))
