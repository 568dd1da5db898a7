"""Both wheels are built offline, installed into empty folders, and used beside the locked packages alone."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PIP: Final = (sys.executable, "-m", "pip", "--isolated", "--quiet", "--disable-pip-version-check")
PACKAGES: Final = ("agents", "chatapp", "sessions_core")


def install(project: Path, folder: Path) -> Path:
    """Builds the wheel of `project` and installs it; returns the folder that holds its packages."""
    wheels, installed = folder / "wheels", folder / "installed"
    build = (*PIP, "wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(project))
    subprocess.run(build, cwd=folder, check=True)
    (wheel,) = wheels.iterdir()
    subprocess.run((*PIP, "install", "--no-index", "--no-deps", "--target", str(installed), str(wheel)), check=True)
    return installed


def run(program: str, installed: Path, cwd: Path, **environment: str) -> str:
    """Runs a Python program that sees the installed wheel and the locked packages, and returns what it printed."""
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": str(installed), "PYTHONWARNINGS": "error", **environment}
    done = subprocess.run(
        (sys.executable, "-c", program), cwd=cwd, env=known, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(ROOT, tmp_path_factory.mktemp("application"))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(ROOT / "sessions_client", tmp_path_factory.mktemp("client"))


def python_files(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*.py")}


class TestApplication:
    @pytest.mark.parametrize("package", PACKAGES)
    def test_each_package_is_whole_and_typed(self, application: Path, package: str) -> None:
        assert python_files(application / package) == python_files(ROOT / package)
        assert (application / package / "py.typed").is_file()

    def test_nothing_else_is_in_it(self, application: Path) -> None:
        folders = {entry.name for entry in application.iterdir() if not entry.name.endswith(".dist-info")}
        assert folders == set(PACKAGES)

    def test_the_sdk_is_imported_without_settings_and_django(self, application: Path, tmp_path: Path) -> None:
        program = "import sys, agents.sdk; print('django' in sys.modules, agents.sdk.__file__)"
        assert run(program, application, tmp_path) == f"False {application / 'agents/sdk/__init__.py'}"

    def test_settings_templates_and_static_files_are_found(self, application: Path, tmp_path: Path) -> None:
        program = """
import django
django.setup()
from django.contrib.staticfiles import finders
from django.template.loader import get_template
from agents.catalogue import guide
from chatapp.pages.assets import build_import_map
assert "ds/core/timeline.js" in build_import_map()
assert guide.read_library()
print(get_template("session/session.html").origin.name)
print(finders.find("css/base.css"))
"""
        printed = run(
            program,
            application,
            tmp_path,
            DJANGO_SETTINGS_MODULE="chatapp.settings",
            DEBUG="1",  # static files as they lie: `collectstatic` has not run
            SECRET_KEY="for this test only, and long enough",
            VAR_DIR=str(tmp_path / "var"),
        )
        files = application / "chatapp"
        assert printed.splitlines() == [
            str(files / "templates/session/session.html"),
            str(files / "static/css/base.css"),
        ]


class TestClient:
    def test_it_holds_its_modules_and_types_alone(self, client: Path) -> None:
        package = client / "sessions_client"
        kept = {file.name for file in package.iterdir() if file.suffix != ".pyc" and file.name != "__pycache__"}
        assert kept == python_files(ROOT / "sessions_client") | {"py.typed"}

    def test_it_is_imported_without_django(self, client: Path, tmp_path: Path) -> None:
        program = "import sys, sessions_client; print('django' in sys.modules, sessions_client.__file__)"
        assert run(program, client, tmp_path) == f"False {client / 'sessions_client/__init__.py'}"
