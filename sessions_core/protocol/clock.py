"""The clock of this process, in one place, so that tests can set it. Leases use the database's clock instead."""

from datetime import UTC, datetime


def now() -> datetime:
    """Returns the present time, aware, in UTC."""
    return datetime.now(UTC)


def wire(moment: datetime) -> str:
    """Returns the time as the wire has it: `2026-01-31T12:00:00.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
