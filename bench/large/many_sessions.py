"""`python -m bench.large.many_sessions COUNT FILE`: makes so many Sessions of one user by SQL, and writes their ids to FILE."""

import sys
from pathlib import Path

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402

_SESSIONS = """
    WITH made AS (
        INSERT INTO session (id, title, agent, policy, head)
        SELECT gen_random_uuid(), 'Session ' || n, 'script', 'queue', 1 FROM generate_series(1, %(count)s) n RETURNING id),
    owners AS (INSERT INTO participant (session_id, user_id, role) SELECT id, %(user)s, 'owner' FROM made),
    events AS (
        INSERT INTO event (session_id, seq, kind, at, actor_kind, actor_id, actor_name, data)
        SELECT id, 1, 'session.created', now(), 'user', %(user)s, 'bench',
               '{"title":"","agent":"script","policy":"queue"}' FROM made)
    SELECT id::text FROM made
"""


def fill(count: int) -> list[str]:
    """Returns the ids of the new Sessions."""
    user, _ = User.objects.get_or_create(username="bench")
    with connection.cursor() as cursor:
        cursor.execute(_SESSIONS, {"count": count, "user": user.pk})
        made = [row[0] for row in cursor.fetchall()]
        cursor.execute("ANALYZE")
    return made


if __name__ == "__main__":
    Path(sys.argv[2]).write_text("\n".join(fill(int(sys.argv[1]))))
