"""Sessions of the fault suite: made through the API, watched in the database."""

from collections.abc import Sequence
from typing import Final

import httpx

from tests.faults.system import Person, System

_JOIN: Final = """
    INSERT INTO participant (session_id, user_id, role) SELECT %s::uuid, unnest(%s::int[]), 'editor' ON CONFLICT DO NOTHING
"""
_HEADS: Final = "SELECT id::text, head FROM session WHERE id = ANY(%s::uuid[])"
_ACTIVE: Final = """
    SELECT id::text || ' ' || state || ' attempt ' || attempt FROM run
    WHERE session_id = ANY(%s::uuid[]) AND ended_at IS NULL
"""


async def create(system: System, people: Sequence[Person], *, count: int) -> list[str]:
    """So many Sessions, each owned by another of the people, with all of them in it."""
    url = f"http://127.0.0.1:{system.web.environment['PORT']}/api/sessions"
    made: list[str] = []
    async with httpx.AsyncClient(timeout=10) as client:
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


def heads(system: System, sessions: Sequence[str]) -> dict[str, int]:
    """Where the logs stand now."""
    with system.connect() as connection:
        rows = connection.execute(_HEADS, [list(sessions)]).fetchall()
    return {str(session): int(str(head)) for session, head in rows}


def active(system: System, sessions: Sequence[str]) -> list[str]:
    """The Runs that have not ended."""
    with system.connect() as connection:
        return [str(row[0]) for row in connection.execute(_ACTIVE, [list(sessions)])]
