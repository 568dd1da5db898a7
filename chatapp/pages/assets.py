"""The files that the browser loads: our own, and the few files of node_modules that are named here. There is no bundler.

Scripts import each other by bare names (`ds/core/timeline.js`, `markdown-it`); the import map of the page turns a name into
the hashed address of the file. `ds/…` is `static/js/…`.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final, Literal, overload

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage, Warning  # noqa: A004  # Django's name for it
from django.core.files.storage import FileSystemStorage, Storage
from django.templatetags.static import static
from typing_extensions import override

PREFIX: Final = "npm"  # of their addresses: /static/npm/…
_HIGHLIGHT: Final = "@highlightjs/cdn-assets/es"
# Languages of highlighted code blocks. Each is loaded when a page first needs it (static/js/ui/markdown/highlight.js).
LANGUAGES: Final = tuple(
    """
    bash c cpp csharp css diff dockerfile go graphql ini java javascript json kotlin lua makefile markdown nginx perl
    php plaintext powershell python r ruby rust scss shell sql swift typescript xml yaml
    """.split()  # noqa: SIM905  # a list of 34 strings is 34 lines
)
# The name that a script imports -> the file below node_modules.
MODULES: Final = {
    "markdown-it": "markdown-it/dist/browser/markdown-it.esm.min.mjs",
    f"{_HIGHLIGHT}/core.min.js": f"{_HIGHLIGHT}/core.min.js",
    **{name: name for name in (f"{_HIGHLIGHT}/languages/{language}.min.js" for language in LANGUAGES)},
}
# The fonts of the pages, upright and italic.
FONTS: Final = tuple(
    f"@fontsource-variable/figtree/files/figtree-{letters}-wght-{slope}.woff2"
    for letters in ("latin", "latin-ext")
    for slope in ("normal", "italic")
)
FILES: Final = frozenset({*MODULES.values(), *FONTS, "markdown-it/dist/browser/markdown-it.esm.min.mjs.map"})


class NodeModulesFinder(BaseFinder):
    """Finds `npm/<file>` for the files in FILES, and nothing else of node_modules."""

    def __init__(self, _app_names: object = None) -> None:
        """Ignores the names of apps, which Django passes to every finder."""
        super().__init__()
        self.root = Path(settings.BASE_DIR) / "node_modules"
        self.storage = FileSystemStorage(location=self.root)
        self.storage.prefix = PREFIX  # type: ignore[attr-defined]  # collectstatic reads it
        self.storages = {PREFIX: self.storage}  # servestatic reads it in DEBUG

    @override
    def check(self, **_kwargs: object) -> list[CheckMessage]:
        """Warns when npm has not run: the pages would have no scripts."""
        if all((self.root / name).is_file() for name in FILES):
            return []
        return [Warning("Files of node_modules are missing: run `npm install --ignore-scripts`.", id="chatapp.W001")]

    @overload
    def find(self, path: str, find_all: Literal[False] = ...) -> str: ...
    @overload
    def find(self, path: str, find_all: Literal[True]) -> list[str]: ...
    @override
    def find(self, path: str, find_all: bool = False) -> str | list[str]:
        """Returns the path of the file, or an empty list, Django's sign for not found."""
        prefix, _, name = path.partition("/")
        file = self.root / name
        if prefix != PREFIX or name not in FILES or not file.is_file():
            return []
        return [str(file)] if find_all else str(file)

    @override
    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        """Yields each file with its storage, for collectstatic. The files are chosen, so `ignore_patterns` does not apply."""
        del ignore_patterns
        return ((name, self.storage) for name in sorted(FILES))


def style_sheets() -> list[str]:
    """Returns the addresses of all style sheets, in the order to load them. In DEBUG nothing is cached."""
    return _style_sheets() if settings.DEBUG else _cached_style_sheets()


def _style_sheets() -> list[str]:
    sheets = Path(settings.FILES_DIR, "static", "css").glob("*.css")
    # tokens.css gives the layers their order; the order of the others does not matter.
    names = sorted((sheet.name for sheet in sheets), key=lambda name: (name != "tokens.css", name))
    return [static(f"css/{name}") for name in names]


_cached_style_sheets = cache(_style_sheets)


def import_map() -> dict[str, str]:
    """Returns the address of every script that a page may import, by bare name. In DEBUG nothing is cached."""
    return build_import_map() if settings.DEBUG else _cached_import_map()


def build_import_map() -> dict[str, str]:
    scripts = Path(settings.FILES_DIR) / "static" / "js"
    ours = sorted(file.relative_to(scripts).as_posix() for file in scripts.rglob("*.js"))
    return {
        **{f"ds/{name}": static(f"js/{name}") for name in ours},
        **{name: static(f"{PREFIX}/{file}") for name, file in MODULES.items()},
    }


_cached_import_map = cache(build_import_map)
