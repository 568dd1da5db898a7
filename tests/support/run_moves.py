"""The database of the tests refuses each move of a Run that is not in `run_states.TRANSITIONS`, whoever makes it."""

from django.db import connection

from sessions_core.protocol.run_states import TRANSITIONS, sql


def watch() -> None:
    """Creates the trigger. It outlasts the tests, which empty the tables but drop none."""
    illegal = " OR ".join(
        f"OLD.state = '{state}' AND NEW.state <> ALL (ARRAY[{sql(after)}]::text[])"
        for state, after in TRANSITIONS.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(f"""
            CREATE FUNCTION refuse_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF {illegal} THEN
                    RAISE integrity_constraint_violation USING MESSAGE = 'no move: ' || OLD.state || ' to ' || NEW.state;
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER run_moves BEFORE UPDATE ON run FOR EACH ROW
                WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION refuse_move();
        """)
