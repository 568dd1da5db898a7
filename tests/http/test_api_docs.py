"""OpenAPI describes every route, its page loads nothing from other hosts, and docs/reference/http.md is true."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions_core.api.schemas import SessionOut
from sessions_core.api.service import JSON_BODY_BYTES, api
from sessions_core.protocol.errors import Refusal
from sessions_core.protocol.ids import SessionId
from sessions_core.services.messages import MESSAGE_CHARACTERS
from tests.http.clients import ApiClient, ApiResponse
from tests.http.test_api_history import post_and_answer
from tests.http.test_api_refusals import ROUTES

DOC: Final = (Path(__file__).parents[2] / "docs/reference/http.md").read_text(encoding="utf-8")
ABSTRACT: Final = {"refused", "invalid"}  # base classes of refusals, which are never raised themselves


def codes(refusal: type[Refusal] = Refusal) -> set[str]:
    """Returns the codes of the class and of all below it."""
    return {refusal.code}.union(*(codes(kind) for kind in refusal.__subclasses__()))


def openapi() -> dict[str, Any]:
    return dict(api.get_openapi_schema(path_prefix="/api/"))


def walk() -> Iterator[tuple[int, list[str]]]:
    """Yields the documented calls, each as (expected status, arguments of curl)."""
    block = DOC.split("## A walk")[1].split("```sh\n")[1].split("```")[0].replace("\\\n", " ")
    for status, command in re.findall(r"^# (\d+):.*\n(curl .*)$", block, re.MULTILINE):
        yield int(status), shlex.split(command)[1:]


def curl(script: ApiClient, words: list[str], known: dict[str, str]) -> ApiResponse:
    """Sends the request that curl would send, with `known` as the variables of the shell."""
    method, body, url, headers = "GET", b"", "", {}
    words = [re.sub(r"\$(\w+)", lambda name: known[name[1]], word) for word in words]
    while words:
        match words:
            case ["-X", method, *words]:
                pass
            case ["-d", data, *words]:
                body = data.encode()
            case ["-H", header, *words]:
                name, _, value = header.partition(": ")
                headers[name] = value
            case [url, *words]:
                pass
            case _:
                break
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    content_type = headers.pop("Content-Type", "application/octet-stream")
    return ApiResponse(script.client.generic(method, path, body, content_type=content_type, headers=headers))


def test_the_walk_of_the_documentation_is_true(alice: User) -> None:
    script = ApiClient(alice)
    known = {"CHAT": "http://testserver", "TOKEN": script.token}

    statuses = []
    for expected, words in walk():
        if any("$ANSWER" in word for word in words):
            known["ANSWER"] = str(post_and_answer(SessionId(UUID(known["SESSION"])), alice, "There."))
        answer = curl(script, words, known)
        statuses.append((expected, int(answer.status), words[:3]))
        if answer.body and "policy" in answer.body:
            known["SESSION"] = answer.body["id"]
        if answer.body and "message" in answer.body:
            known["RUN"] = answer.body["run"]

    assert len(statuses) == 16
    assert [status for status in statuses if status[0] != status[1]] == []


@pytest.mark.parametrize(
    ("method", "path"), [*ROUTES, ("GET", "health/live"), ("GET", "health/ready"), ("GET", "health/work")]
)
def test_every_route_is_documented(method: str, path: str) -> None:
    address = f"/{path}" if path.startswith("health") else f"/api/{path}"

    assert f"| `{method} {address}` |" in DOC


@pytest.mark.parametrize("code", sorted(codes() - ABSTRACT))
def test_every_code_is_documented(code: str) -> None:
    assert f"`{code}`" in DOC


@pytest.mark.parametrize("field", sorted(SessionOut.model_fields))
def test_every_field_of_a_session_is_documented(field: str) -> None:
    assert f"`{field}`" in DOC


def test_limits_are_documented_and_leave_room_for_the_longest_message() -> None:
    assert f"{JSON_BODY_BYTES // 1024} KiB" in DOC
    assert len('"\\ud83d\\ude00"') * MESSAGE_CHARACTERS < JSON_BODY_BYTES


def test_the_routes_are_those_of_the_protocol() -> None:
    of_a_session = "sessions/{session}"

    assert set(ROUTES) == {
        *(("GET", "sessions"), ("POST", "sessions"), ("GET", "agents")),
        *((method, of_a_session) for method in ("GET", "PATCH", "DELETE")),
        *(("GET", f"{of_a_session}/{what}") for what in ("events", "timeline", "runs", "asks", "consents")),
        ("DELETE", f"{of_a_session}/consents/{{agent}}/{{tool}}"),
        ("POST", f"{of_a_session}/runs/{{run}}/signals/{{name}}"),
        *(("POST", f"{of_a_session}/{what}") for what in ("messages", "cancellation", "asks/{ask}/answer")),
        *((method, f"{of_a_session}/queue/{{message}}") for method in ("PATCH", "DELETE")),
        ("POST", f"{of_a_session}/queue/resumption"),
        ("POST", f"{of_a_session}/messages/{{message}}/regeneration"),
        *(("POST", f"{of_a_session}/runs/{{run}}/{what}") for what in ("cancellation", "retry")),
    }


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_says_what_it_is_and_how_it_refuses(method: str, path: str) -> None:
    route = openapi()["paths"][f"/api/{path}"][method.lower()]

    assert route["description"].endswith((".", "`."))
    assert {"401", "403", "422", "429", "503"} <= {str(status) for status in route["responses"]}
    assert {name for way in route["security"] for name in way} == {"BearerToken", "SignedInBrowser"}


@pytest.mark.django_db
def test_the_description_is_served() -> None:
    answer = Client().get("/api/openapi.json")

    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.")
    assert set(answer.json()["paths"]) == {f"/api/{path}" for _, path in ROUTES}


@pytest.mark.django_db
def test_the_page_of_the_description_is_safe_under_the_csp_and_loads_nothing_from_elsewhere() -> None:
    answer = Client().get("/api/docs")
    text = answer.content.decode()

    loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
    scripts = re.findall(r"<script([^>]*)>", text)
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert loaded
    assert all(address.startswith("/static/ninja/") for address in loaded)
    assert all("src=" in script or "application/json" in script for script in scripts)
    assert "style=" not in text
    assert "<style" not in text


@pytest.mark.django_db
def test_the_root_leads_to_the_description() -> None:
    assert Client().get("/api/").headers["Location"] == "/api/docs"
