"""One log of all programs: time, program, level, text. PostgreSQL and Valkey write their levels in ways of their own."""

import re
import sys
from datetime import datetime
from typing import Final

from honcho.printer import Message, Printer

WIDTH: Final = len("postgres")
_POSTGRES: Final = re.compile(r"^([A-Z]+\d?):\s+")
_POSTGRES_LEVELS: Final = {"LOG": "INFO", "NOTICE": "INFO", "FATAL": "ERROR", "PANIC": "CRITICAL"}
_VALKEY: Final = re.compile(r"^\d+:(?:[A-Z] \d+ \w+ \d+ [\d:.]+ ([.\-*#]) |signal-handler \(\d+\) )(?:WARNING )?")
_VALKEY_LEVELS: Final = {".": "DEBUG", "-": "DEBUG", "*": "INFO", "#": "WARNING"}


class Output:
    """Writes to standard output: lines of the programs, and lines of `up` itself."""

    def __init__(self) -> None:
        self._printer = Printer(sys.stdout, width=WIDTH)

    def write(self, text: str, level: str = "INFO") -> None:
        """Writes a line of `up` itself."""
        now = datetime.now()  # noqa: DTZ005  # local time, for the people at this machine
        self._printer.write(Message(type="line", data=f"{level} {text}", time=now, name="up", colour=None))

    def relay(self, message: Message) -> str:
        """Writes a line of a program with its level in our form, and returns the line."""
        text = message.data.decode(errors="replace").rstrip()
        line = {"postgres": _of_postgres, "valkey": _of_valkey}.get(message.name, str)(text)
        self._printer.write(message._replace(data=line))
        return line


def _of_postgres(line: str) -> str:
    return _POSTGRES.sub(lambda found: f"{_POSTGRES_LEVELS.get(found[1], found[1])} ", line)


def _of_valkey(line: str) -> str:
    return _VALKEY.sub(lambda found: f"{_VALKEY_LEVELS.get(found[1], 'INFO')} ", line)
