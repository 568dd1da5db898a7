"""What the browser may load: chosen files of node_modules, and an import map that leads to hashed files."""

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.template import Context, Template
from pytest_django import Settings

from chatapp.pages import assets
from chatapp.pages.assets import FILES, NodeModulesFinder, import_map

IMPORT = re.compile(r'^(?:import |.*\bfrom )[^"\n]*"([^"]+)";$', re.MULTILINE)
STATIC = Path(__file__).parents[2] / "static"
SCRIPTS, SHEETS = STATIC / "js", STATIC / "css"


class Asked:
    csp_nonce = "n0nce"


@pytest.fixture
def hashed(settings: Settings, tmp_path: Path) -> Path:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }
    call_command("collectstatic", "--noinput", verbosity=0)
    return tmp_path


def test_finds_the_chosen_files_and_nothing_else_of_node_modules() -> None:
    finder = NodeModulesFinder()

    assert [name for name in sorted(FILES) if not finder.find(f"npm/{name}")] == []
    assert finder.check() == []
    for other in ("npm/markdown-it/package.json", "npm/typescript/lib/tsc.js", "npm/../package.json", "markdown-it"):
        assert finders.find(other) is None


def test_pages_load_every_style_sheet_and_the_one_with_the_layers_first() -> None:
    html = Template("{% load assets %}{% style_sheets %}").render(Context())
    loaded = re.findall(r'<link rel="stylesheet" href="/static/css/([\w-]+\.css)">', html)

    assert loaded[0] == "tokens.css"
    assert sorted(loaded) == sorted(sheet.name for sheet in SHEETS.glob("*"))


def test_every_import_of_our_scripts_is_in_the_map() -> None:
    known = import_map()
    wanted = {name for file in SCRIPTS.rglob("*.js") for name in IMPORT.findall(file.read_text())}

    assert len(wanted) > 10
    assert {name for name in wanted if name not in known} == set()


def test_in_production_every_address_is_hashed_and_there(hashed: Path) -> None:
    addresses = assets.build_import_map()

    assert all(re.search(r"\.[0-9a-f]{12}\.m?js$", address) for address in addresses.values())
    assert all((hashed / unquote(address).removeprefix("/static/")).is_file() for address in addresses.values())


def test_the_map_is_one_script_with_the_nonce_of_the_request() -> None:
    html = Template("{% load assets %}{% import_map %}").render(Context({"request": Asked()}))
    found = re.fullmatch(r'<script type="importmap" nonce="n0nce">(.*)</script>', html)

    assert found is not None
    assert json.loads(found[1]) == {"imports": import_map()}
