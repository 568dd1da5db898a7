"""The fence, seen from outside of the engine: a trigger notes each Event that a process writes for a Run of another worker.

Every process of the suite has its id as the name of its connections (tests/faults/settings.py); that of the worker which holds a
Run stands in the Run's row.
"""

from collections.abc import Sequence
from typing import Final

import psycopg

_WATCH: Final = """
    CREATE TABLE stale_write (session_id uuid, run_id uuid, seq bigint, kind text, writer text, holder text);
    CREATE FUNCTION note_stale_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO stale_write
        SELECT NEW.session_id, NEW.run_id, NEW.seq, NEW.kind, current_setting('application_name'), run.worker FROM run
        WHERE run.id = NEW.run_id AND split_part(run.worker, ':', 2) <> current_setting('application_name');
        RETURN NULL;
    END $$;
    CREATE TRIGGER stale_writes AFTER INSERT ON event FOR EACH ROW
        WHEN (NEW.run_id IS NOT NULL AND NEW.actor_kind = 'agent') EXECUTE FUNCTION note_stale_write();
"""
_FOUND: Final = """
    SELECT format('%%s at %%s of the Run %%s was written by process %%s, the Run is that of %%s',
                  kind, seq, run_id, writer, holder)
    FROM stale_write WHERE session_id = ANY(%s::uuid[]) ORDER BY session_id, seq
"""


def watch(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Creates the trigger."""
    connection.execute(_WATCH)


def found(connection: psycopg.Connection[tuple[object, ...]], sessions: Sequence[str]) -> list[str]:
    """Describes the stale writes in these Sessions."""
    return [str(row[0]) for row in connection.execute(_FOUND, [list(sessions)])]
