"""The modules that the script of a page imports. The browser fetches them all at once, instead of one level after the other."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings

from chatapp.pages.assets import import_map

_IMPORT: Final = re.compile(r'^(?:import\b[^"]*|\} )from "([^"]+)"', re.MULTILINE)  # not `@import` in comments


def addresses(entry: str) -> list[str]:
    """Returns the addresses of all modules that `entry` imports, directly or not. `entry` is a bare name, `ds/pages/app.js`."""
    known = import_map()
    names = _imports(entry) if settings.DEBUG else _cached_imports(entry)
    return [known[name] for name in names if name in known]


def _imports(entry: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    waiting = [entry]
    while waiting:
        new = [name for name in _imported_by(waiting.pop()) if name not in found]
        found.update(dict.fromkeys(new))
        waiting.extend(new)
    return tuple(found)


def _imported_by(name: str) -> Iterator[str]:
    if name.startswith("ds/"):
        source = Path(settings.FILES_DIR, "static", "js", name.removeprefix("ds/")).read_text()
        yield from _IMPORT.findall(source)


_cached_imports = cache(_imports)
