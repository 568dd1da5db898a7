"""The lines of PostgreSQL and Valkey get the levels of all other lines."""

from datetime import UTC, datetime

import pytest
from honcho.printer import Message

from chatapp.launcher.supervisor.output import Output


@pytest.mark.parametrize(
    ("program", "line", "written"),
    [
        ("postgres", "LOG:  database system is ready", "INFO database system is ready"),
        ("postgres", "FATAL:  too many clients", "ERROR too many clients"),
        ("postgres", "ERROR:  deadlock detected", "ERROR deadlock detected"),
        ("valkey", "12:M 23 Nov 2026 03:50:45.008 # bye", "WARNING bye"),
        ("valkey", "12:M 23 Nov 2026 03:50:45.008 * Ready", "INFO Ready"),
        ("valkey", "12:signal-handler (179) Received SIGTERM", "INFO Received SIGTERM"),
        ("web", "INFO uvicorn.error: Started", "INFO uvicorn.error: Started"),
    ],
)
def test_a_line_begins_with_its_level(
    capsys: pytest.CaptureFixture[str], program: str, line: str, written: str
) -> None:
    at = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    Output().relay(Message(type="line", data=f"{line}\n".encode(), time=at, name=program, colour=None))
    assert capsys.readouterr().out == f"09:30:00 {program:8} | {written}\n"
