import re
from datetime import timedelta
from typing import Final

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*")
LONGEST: Final = timedelta(days=3650)


def duration(given: float | str | timedelta) -> timedelta:
    """Returns a duration: so many seconds, or a text such as `90s`, `15m`, `2h`, `7d` or `1w`. Raises ValueError."""
    if isinstance(given, str):
        given = _seconds(given)
    time = given if isinstance(given, timedelta) else timedelta(seconds=given)
    if not timedelta() <= time <= LONGEST:
        raise ValueError(f"A duration is between 0 and ten years, not {time}.")
    return time


def _seconds(text: str) -> float:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(
            f"“{text}” is no duration: write seconds as a number, or a text such as “90s”, “15m”, “2h” or “7d”."
        )
    return float(found[1]) * _UNITS[found[2]]
