"""Looks at the plans of statements for what grows with a Session or with the table.

PostgreSQL is told to avoid what needs no index, so what is left of it in a plan is there because no index serves. The tables are
filled for the time of the look, because the planner takes any index for an empty one.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.db import connection, transaction

from tests.support.statements import Statement

GROWING: Final = frozenset({"event", "run", "session", "participant"})
LONG: Final = frozenset({"event", "run"})  # one Session may have very many
# Indexes of what is being worked on: their size does not grow with the table.
SMALL: Final = frozenset({"run_active", "run_to_sweep", "run_to_resume", "run_to_compact", "session_to_remove"})
_AVOIDED: Final = ("seqscan", "bitmapscan", "hashjoin", "mergejoin")
_SORTS: Final = ("sort", "incremental_sort")
_MEANT: Final = ("UPDATE session SET epoch",)  # by an operator, once a backup was restored
_PLANNED: Final = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
_ID: Final = re.compile(r"\b(message_id|run_id|client_id|replies_to) =")
_FROM_A_SEQ: Final = re.compile(r"seq >|seq = ANY")

_FILL: Final = """
    INSERT INTO auth_user (id, username, password, is_superuser, is_staff, is_active, first_name, last_name, email, date_joined)
    SELECT -n, 'filler ' || n, '', false, false, true, '', '', '', now() FROM generate_series(1, 100) n;
    INSERT INTO session (id, title, agent, policy) SELECT md5('s' || n)::uuid, '', 'a', 'queue' FROM generate_series(1, 400) n;
    INSERT INTO participant (session_id, user_id, role) SELECT md5('s' || n)::uuid, -1 - n % 100, 'owner'
        FROM generate_series(1, 400) n;
    INSERT INTO run (id, session_id, agent, replies_to, asked_seq, state, attempt, attempt_seq, handed_back, fence, worker, error,
                     ended_at, compacted_at)
        SELECT md5('r' || n || '-' || r)::uuid, md5('s' || n)::uuid, 'a', md5('q' || n || '-' || r)::uuid, 6 * r, 'completed', 1,
               6 * r + 1, 0, 1, 'w', '', now(), now() FROM generate_series(1, 400) n, generate_series(1, 10) r;
    INSERT INTO event (session_id, seq, kind, at, actor_kind, actor_id, actor_name, run_id, message_id, client_id, data)
        SELECT md5('s' || n)::uuid, e, kinds.names[1 + e % 6], now(), 'agent', 'a', 'A', md5('r' || n || '-' || e / 6)::uuid,
               CASE WHEN e % 6 IN (0, 3, 4, 5) THEN md5('m' || n || '-' || e)::uuid END,
               CASE WHEN e % 6 = 0 THEN md5('c' || n || '-' || e)::uuid END, '{}'
        FROM generate_series(1, 400) n, generate_series(1, 60) e, (SELECT ARRAY['message.posted', 'run.requested', 'run.started',
               'message.started', 'message.delta', 'message.completed'] AS names) kinds;
    ANALYZE auth_user, session, participant, run, event
"""


def growing(statements: Iterable[Statement]) -> list[str]:
    """Returns a line for each fault of a statement that takes longer as a Session or a table grows."""
    planned = [each for each in statements if _PLANNED.match(each.sql) and not each.sql.startswith(_MEANT)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FILL)
        _avoid(cursor, _AVOIDED)
        faults = {each: _faults(cursor, each) for each in planned}
        _avoid(cursor, _SORTS)  # where the order may come from an index
        faults = {each: found and _faults(cursor, each) for each, found in faults.items()}
        transaction.set_rollback(True)
    return [f"{each.sender}: {fault}\n    {_short(each.sql)}" for each, found in faults.items() for fault in found]


def without_sorts(statement: Statement) -> set[str]:
    """Returns the faults of the plan that PostgreSQL may take to spare a sort: of a walk in order that ends at a LIMIT."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FILL)
        _avoid(cursor, _AVOIDED + _SORTS)
        found = _faults(cursor, statement)
        transaction.set_rollback(True)
    return found


def _avoid(cursor: Any, names: Iterable[str]) -> None:  # noqa: ANN401  # Django's cursor has no type of its own
    for name in names:
        cursor.execute(f"SET LOCAL enable_{name} = off")


def _faults(cursor: Any, statement: Statement) -> set[str]:  # noqa: ANN401
    cursor.execute(f"EXPLAIN (FORMAT JSON) {statement.sql}", statement.parameters)
    plan = cursor.fetchone()[0]
    return set(_of_node((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"], above=[]))


def _of_node(node: dict[str, Any], *, above: list[str]) -> Iterator[str]:
    table, index, kind = (node.get(name, "") for name in ("Relation Name", "Index Name", "Node Type"))
    if table in GROWING and index not in SMALL:
        bounds, filter_ = node.get("Index Cond", ""), node.get("Filter", "")
        if kind == "Seq Scan":
            yield f"reads all of {table}"
        elif index and not bounds and (above[-1:] != ["Limit"] or filter_):
            yield f"walks through all of {table} by {index}"
        elif index and _ID.search(filter_) and not _FROM_A_SEQ.search(bounds):
            yield f"searches in what {index} finds for {filter_}"
        elif above[-2:] == ["Limit", "Sort"] and table in LONG and not _FROM_A_SEQ.search(bounds):
            yield f"sorts all that {index} finds, to return a few"
    for child in node.get("Plans", ()):
        yield from _of_node(child, above=above if kind == "LockRows" else [*above, kind])


def _short(sql: str) -> str:
    return " ".join(sql.split())[:300]
