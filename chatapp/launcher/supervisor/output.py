"""One log of all parts: time, part, level, text. PostgreSQL and Valkey spell levels their own way."""

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
    """Writes lines of parts, and our own under the name `up`, to standard output."""

    def __init__(self) -> None:
        self._printer = Printer(sys.stdout, width=WIDTH)

    def say(self, text: str, level: str = "INFO") -> None:
        self._printer.write(Message(type="line", data=f"{level} {text}", time=datetime.now(), name="up", colour=None))  # noqa: DTZ005 - for people, on their clock

    def relay(self, message: Message) -> str:
        """Writes a part's line, and gives it as written."""
        text = message.data.decode(errors="replace").rstrip()
        line = {"postgres": _of_postgres, "valkey": _of_valkey}.get(message.name, str)(text)
        self._printer.write(message._replace(data=line))
        return line


def _of_postgres(line: str) -> str:
    def level(found: re.Match[str]) -> str:
        return f"{_POSTGRES_LEVELS.get(found[1], found[1])} "

    return _POSTGRES.sub(level, line)


def _of_valkey(line: str) -> str:
    return _VALKEY.sub(lambda found: f"{_VALKEY_LEVELS.get(found[1], 'INFO')} ", line)
