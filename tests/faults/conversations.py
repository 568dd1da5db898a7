"""Sessions of the fault suite, created through the API and watched in the database."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import httpx
import msgspec
from psycopg.rows import class_row

from tests.faults.processes import Process
from tests.faults.system import Person, System
from tests.support.waiting import DEADLINE_S, eventually

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
    SELECT id::text FROM run WHERE session_id = ANY(%s::uuid[]) AND state = 'running' AND worker LIKE %s
"""
_RUNS: Final = """
    SELECT id::text, state, attempt, handed_back, error_code FROM run WHERE session_id = ANY(%s::uuid[]) ORDER BY asked_seq
"""
_WAITING: Final = "SELECT id::text FROM run WHERE session_id = ANY(%s::uuid[]) AND state = 'waiting' AND waits_on = %s"
_OPEN_ASKS: Final = """
    SELECT session_id::text, id::text FROM ask WHERE session_id = ANY(%s::uuid[]) AND state = 'open' ORDER BY opened_at
"""
# What a Run says is still written, because that takes the same lock.
_LOCK: Final = "SELECT 1 FROM run WHERE id = %s FOR SHARE"
# Those who read a row to lock it; a heartbeat, which waits as well, begins with UPDATE.
_WHO_WAITS: Final = (
    "SELECT application_name FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT%'"
)
_SAID: Final = """
    SELECT coalesce(string_agg(data->>'text', '' ORDER BY seq), '') FROM event
    WHERE session_id = (SELECT session_id FROM run WHERE id = %(run)s) AND run_id = %(run)s AND kind = 'message.delta'
"""
_BEGUN_STEPS: Final = "SELECT key FROM step WHERE run_id = %s"


class RunRow(msgspec.Struct, frozen=True):
    """A Run as its row is now. `handed_back`: attempts that do not count."""

    id: str
    state: str
    attempt: int
    handed_back: int
    error_code: str


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


async def answer(system: System, by: Person, session: str, ask: str, value: object, *, web: int = 0) -> int:
    """Answers the question, through the web process with that number; returns the status of the response."""
    port = system.webs[web].environment["PORT"]
    url = f"http://127.0.0.1:{port}/api/sessions/{session}/asks/{ask}/answer"
    async with httpx.AsyncClient(timeout=DEADLINE_S, headers={"Authorization": f"Bearer {by.token}"}) as client:
        return (await client.post(url, json={"value": value})).status_code


def open_asks(system: System, sessions: Sequence[str]) -> list[tuple[str, str]]:
    """Returns the open questions, each with its Session."""
    with system.connect() as connection:
        return [(str(session), str(ask)) for session, ask in connection.execute(_OPEN_ASKS, [list(sessions)])]


def runs(system: System, sessions: Sequence[str]) -> dict[str, RunRow]:
    """Returns the Runs by their ids."""
    with system.connect() as connection, connection.cursor(row_factory=class_row(RunRow)) as cursor:
        return {run.id: run for run in cursor.execute(_RUNS, [list(sessions)])}


def waiting(system: System, sessions: Sequence[str], *, on: str) -> list[str]:
    """Returns the Runs that wait for an `ask`, a `sleep` or a `signal`."""
    with system.connect() as connection:
        return [str(row[0]) for row in connection.execute(_WAITING, [list(sessions), on])]


def begun_steps(system: System, run: str | None) -> set[str]:
    """Returns the keys under which the Run has begun or kept something."""
    with system.connect() as connection:
        return {str(row[0]) for row in connection.execute(_BEGUN_STEPS, [run])}


def said(system: System, run: str) -> str:
    """Returns what the Run has said so far."""
    with system.connect() as connection:
        row = connection.execute(_SAID, {"run": run}).fetchone()
    return str(row and row[0])


@asynccontextmanager
async def held_up(system: System, run: str | None) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    """Locks the Run's row, so that all who want to change its state wait, and yields `behind(*processes)`, which waits until each
    of these processes does. At the end they go on in the same moment.
    """

    def all_wait(processes: Sequence[Process]) -> bool:
        with system.connect() as connection:
            waiting = {str(row[0]) for row in connection.execute(_WHO_WAITS)}
        return {str(process.pid) for process in processes} <= waiting

    async def behind(*processes: Process) -> None:
        await eventually(lambda: all_wait(processes), otherwise=lambda: str(waits(system)), blocking=True)

    with system.connect() as connection, connection.transaction():
        connection.execute(_LOCK, [run])
        yield behind


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


def held(system: System, sessions: Sequence[str], worker: Process) -> list[str]:
    """Returns the Runs that work and were last claimed by that worker."""
    with system.connect() as connection:
        return [str(row[0]) for row in connection.execute(_HELD, [list(sessions), f"%:{worker.pid}:%"])]
