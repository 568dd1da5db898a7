"""Finds the browser that the browser tests drive; `python -m tests.support.chromium` installs one where there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.support import debian

NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PACKAGES: Final = ("chromium", "fonts-dejavu-core")
ADVICE: Final = (
    "No Chromium for the browser tests: install the Debian package chromium, or name one with CHROMIUM=/path."
)


def find() -> str | None:
    """Returns the program named by CHROMIUM, an installed one, or the one that Playwright downloaded, or None."""
    given = os.environ.get("CHROMIUM")
    if given:
        return given
    installed = (shutil.which(name) for name in NAMES)
    return next((program for program in installed if program), None) or _of_playwright()


def _of_playwright() -> str | None:
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return next((str(program) for program in sorted(cache.glob("chromium-*/chrome-linux*/chrome"))), None)


def _install() -> None:
    """Installs one with apt where this user may, else with Playwright into the user's own cache."""
    debian.install(*PACKAGES)
    if find() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> int:
    if find() is None:
        sys.stdout.write("Installing chromium for the browser tests …\n")
        sys.stdout.flush()
        _install()
    if find() is None:
        sys.stderr.write(f"{ADVICE}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
