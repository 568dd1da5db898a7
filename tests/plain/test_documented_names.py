"""The pages of the SDK and of both clients have each name that a reader may use."""

import re
from pathlib import Path
from typing import Final

import pytest

import agents.sdk
import sessions_client
from agents.sdk import AgentRun, Message
from sessions_client import Client

ROOT: Final = Path(__file__).resolve().parents[2]
SDK: Final = (ROOT / "docs/reference/sdk.md").read_text("utf-8")
PYTHON: Final = (ROOT / "docs/reference/python-client.md").read_text("utf-8")
JAVASCRIPT: Final = (ROOT / "docs/reference/javascript-client.md").read_text("utf-8")
CONNECTION: Final = (ROOT / "static/js/net/connection.js").read_text("utf-8")


OF_THE_RUNNER: Final = {"is_begun", "break_off", "go_on"}  # what AgentRun alone calls of a Message


def public(kind: type) -> list[str]:
    return [name for name in vars(kind) if not name.startswith("_")]


def said(name: str, page: str) -> bool:
    """Is the name in code on the page?"""
    code = re.findall(r"```.*?```|`[^`\n]+`", page, re.DOTALL)
    return any(re.search(rf"\b{re.escape(name)}\b", one) for one in code)


@pytest.mark.parametrize("name", [*agents.sdk.__all__, *public(AgentRun), *sorted({*public(Message)} - OF_THE_RUNNER)])
def test_the_page_of_the_sdk_has(name: str) -> None:
    assert said(name, SDK)


@pytest.mark.parametrize("name", [*sessions_client.__all__, *public(Client)])
def test_the_page_of_the_python_client_has(name: str) -> None:
    assert said(name, PYTHON)


@pytest.mark.parametrize("name", re.findall(r"^  (?:get )?([a-z]\w+)\(.*\) \{$", CONNECTION, re.MULTILINE))
def test_the_page_of_the_javascript_client_has(name: str) -> None:
    assert said(name, JAVASCRIPT) or name == "constructor"
