"""All routes refuse in the same way."""

from collections.abc import Iterator
from typing import Final
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from sessions_core.api.service import JSON_BODY_BYTES, api
from sessions_core.models import Event, Session
from tests.http.clients import ApiClient, ApiResponse, create_session, post_message, with_participant
from tests.support.refusing_log import refusing_events

_METHODS: Final = {"get", "post", "patch", "delete", "put"}
_BODIES: Final[dict[str, dict[str, object]]] = {
    "messages": {"text": "hello"},
    "answer": {"value": {}},
    "{message}": {"text": "hello"},
}


def routes() -> list[tuple[str, str]]:
    """Returns (method, path below /api/) of every route."""
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    return [
        (method.upper(), path.lstrip("/"))
        for path, methods in paths.items()
        for method in methods
        if method in _METHODS
    ]


ROUTES: Final = routes()
OF_A_SESSION: Final = [(method, path) for method, path in ROUTES if "{session}" in path]
WRITING: Final = [(method, path) for method, path in ROUTES if method != "GET"]
WITH_BODY: Final = [("POST", "sessions"), ("PATCH", "sessions/{session}"), ("POST", "sessions/{session}/messages")]


def _ids() -> dict[str, object]:
    return {"run": uuid4(), "ask": uuid4(), "message": uuid4(), "agent": "a", "tool": "t", "name": "n"}


def address_of(path: str, session: object = None) -> str:
    return path.format(
        session=session or uuid4(), run=uuid4(), ask=uuid4(), message=uuid4(), agent="a", tool="t", name="n"
    )


def body_for(path: str) -> dict[str, object]:
    return _BODIES.get(path.rsplit("/", 1)[-1], {})


def wrong_addresses(path: str, theirs: object) -> Iterator[str]:
    for wrong in (theirs, uuid4(), "x", "0", "%00", "%ED%A0%80", "9" * 400, "..", "%2F", "%0A", f"{uuid4()}%00"):
        yield path.replace("{session}", str(wrong)).format(
            run=uuid4(), ask=uuid4(), message=uuid4(), agent="a", tool="t", name="n"
        )


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.django_db
def test_nobody_gets_anything(method: str, path: str) -> None:
    refused = ApiClient(None).call(method, address_of(path), body_for(path))

    assert (refused.status, refused.code) == (401, "not_signed_in")


@pytest.mark.parametrize(("method", "path"), OF_A_SESSION)
def test_absent_malformed_and_somebody_elses_are_one_answer(method: str, path: str, alice: User, mallory: User) -> None:
    theirs = create_session(alice)
    post_message(theirs, alice)
    head = Session.objects.get().head
    script = ApiClient(mallory)

    answers = [script.call(method, wrong, body_for(path)) for wrong in wrong_addresses(path, theirs)]

    assert {answer.status for answer in answers} == {404}
    assert {answer.code for answer in answers} == {"not_found"}
    assert len({answer.content for answer in answers}) == 1
    assert Session.objects.get().head == head


@pytest.mark.parametrize(("method", "path"), WRITING)
def test_a_read_token_changes_nothing(method: str, path: str, alice: User) -> None:
    session = create_session(alice)

    refused = ApiClient(alice, can_write=False).call(method, address_of(path, session), body_for(path))

    assert (refused.status, refused.code) == (403, "read_only")
    assert Event.objects.filter(session=session).count() == 2


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_head_and_options_are_sensible(method: str, path: str, alice: User) -> None:
    session = create_session(alice)
    script = ApiClient(alice)

    options = script.call("OPTIONS", address_of(path, session))

    assert (options.status, options.content) == (204, b"")
    assert {method, "OPTIONS"} <= set(options.headers["Allow"].split(", "))
    if method == "GET":
        head, got = script.call("HEAD", address_of(path, session)), script.get(address_of(path, session))
        assert (head.status, head.content) == (200, b"")
        assert (got.status, got.headers["Cache-Control"]) == (200, "no-store")
        assert "HEAD" in options.headers["Allow"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "NONSENSE"])
def test_a_method_that_is_not_taken_is_refused_and_the_others_named(method: str, alice: User) -> None:
    refused = ApiClient(alice).call(method, "sessions")

    assert (refused.status, refused.code) == (405, "method_not_allowed")
    assert refused.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize(
    "path", ["nothing", "sessions/", "sessions/x/y/z", "agents/x", "%00", "%0A", "../x", "x" * 2000]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_address_answers_in_the_same_form(method: str, path: str, alice: User) -> None:
    refused = ApiClient(alice).call(method, path)

    assert (refused.status, refused.code) == (404, "not_found")


@pytest.mark.parametrize(
    "raw",
    [
        *(b"{", b"\xff", b"\x00", b"{}{}", b"NaN", b"nil", b'{"title": "\\ud800"}', b'{"title": "\xed\xa0\x80"}'),
        *(b"[" * 100_000, b'{"a":' * 100_000, b"\xef\xbb\xbf{}", b'{"title": Infinity}', "{}".encode("utf-16")),
        *(b"[]", b"7", b'"x"', b"null", b"1" * 5000, b'{"title": 1' + b"0" * 5000 + b"}", b'{"title": 1e999}'),
    ],
)
@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_a_body_that_is_none_is_refused(method: str, path: str, raw: bytes, alice: User) -> None:
    session = create_session(alice)

    refused = ApiClient(alice).call(method, address_of(path, session), raw=raw)

    assert (refused.status, refused.code) == (422, "bad_field")
    assert Event.objects.filter(session=session).count() == 2


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
@pytest.mark.parametrize("size", [JSON_BODY_BYTES + 1, 3_000_000])
def test_a_body_over_the_limit_is_refused(method: str, path: str, size: int, alice: User) -> None:
    session = create_session(alice)

    refused = ApiClient(alice).call(method, address_of(path, session), raw=b'{"title": "' + b"x" * size + b'"}')

    assert (refused.status, refused.code) == (413, "too_large")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("title", 7), ("title", []), ("title", {}), ("title", True), ("title", "x\x00y")],
        *[("policy", ""), ("policy", "often"), ("policy", 7), ("policy", []), ("policy", "\x00")],
        *[("agent", 7), ("agent", []), ("agent", {}), ("agent", "\x00"), ("agent", 10**30)],
    ],
)
def test_a_wrong_field_is_named(field: str, value: object, alice: User) -> None:
    session = create_session(alice)
    script = ApiClient(alice)

    answers = [script.post("sessions", {field: value}), script.patch(f"sessions/{session}", {field: value})]

    assert {(answer.status, answer.code) for answer in answers} == {(422, "bad_field")}
    assert all(answer.body["error"]["message"].startswith(f"{field}: ") for answer in answers)


@pytest.mark.parametrize("value", [7, "yes please", [], "\x00"])
def test_archived_is_yes_or_no(value: object, alice: User) -> None:
    refused = ApiClient(alice).patch(f"sessions/{create_session(alice)}", {"archived": value})

    assert (refused.status, refused.code) == (422, "bad_field")


def test_a_title_that_is_too_long_is_refused(alice: User) -> None:
    refused = ApiClient(alice).post("sessions", {"title": "x" * 201})

    assert (refused.status, refused.code) == (413, "too_large")
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        *("search=%00", f"search={'x' * 201}", "before=%00", "before=yesterday", "before=2026-01-01T00:00:00"),
        *("before=_", "before=2026-01-01T00:00:00Z_x", "before=x_y", "before=2026-01-01T00:00:00Z_%00"),
        *("before=0001-01-01T00:00:00%2B14:00", "before=9999-12-31T23:59:59-14:00", "before=0"),
        *("before=1e400", "limit=0", "limit=x", "limit=201", f"limit={'9' * 400}"),
    ],
)
def test_a_list_that_is_none_is_refused_by_name(query: str, alice: User) -> None:
    refused = ApiClient(alice).get(f"sessions?{query}")

    assert (refused.status, refused.code) == (422, "bad_field")
    assert refused.body["error"]["message"].startswith(query.split("=", maxsplit=1)[0])


@pytest.mark.parametrize(
    "query",
    [
        *("search=%ED%A0%80", "search=%FF"),
        *("limit=1&limit=2", "unknown=1", "search=%25%5C_'%22;--", "search=" + "%F0%9F%98%80" * 50),
    ],
)
def test_a_strange_list_is_a_list(query: str, alice: User) -> None:
    assert ApiClient(alice).get(f"sessions?{query}").status == 200


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer \xff", "Bearer a b", "bearer x", "Bearer " + "x" * 9000]
)
@pytest.mark.django_db
def test_a_strange_authorization_is_nobodys(header: str) -> None:
    refused = ApiResponse(Client().get("/api/agents", headers={"Authorization": header}))

    assert (refused.status, refused.code) == (401, "not_signed_in")


def test_an_unreachable_database_is_said_so(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OperationalError("connection refused")

    script = ApiClient(alice)

    with monkeypatch.context() as patched:
        patched.setattr("django.db.backends.utils.CursorWrapper.execute", unreachable)
        refused = script.get("sessions")

    assert (refused.status, refused.code) == (503, "busy")
    assert refused.body["error"]["retry"] is True
    assert refused.headers["Retry-After"] == "1"
    assert "connection refused" not in refused.body["error"]["message"]


@pytest.mark.parametrize(
    ("sqlstate", "status", "code", "wait"),
    [("53300", 503, "busy", "1"), ("22001", 422, "bad_field", None), ("23505", 500, "internal", None)],
)
def test_only_an_outage_asks_to_come_again(
    sqlstate: str, status: int, code: str, wait: str | None, alice: User
) -> None:
    session, script = create_session(alice), ApiClient(alice)

    with refusing_events(sqlstate):
        refused = script.post(f"sessions/{session}/messages", {"text": "hello"})

    assert (refused.status, refused.code) == (status, code)
    assert refused.headers.get("Retry-After") == wait
    assert refused.body["error"]["retry"] is (wait is not None)


def test_a_fault_of_ours_is_told_without_its_inside(
    alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tests.http.conftest.IdleDispatcher.agents", lambda _self: 1 / 0)

    broken = ApiClient(alice).get("agents")

    assert (broken.status, broken.code) == (500, "internal")
    assert "ZeroDivisionError" in caplog.text
    assert "division" not in broken.body["error"]["message"]


def test_a_participant_is_told_what_is_wrong_and_a_stranger_only_that_nothing_is_there(
    alice: User, bob: User, mallory: User
) -> None:
    session = with_participant(create_session(alice), bob, "viewer")

    viewer = ApiClient(bob).post(f"sessions/{session}/messages", {"text": "hello"})
    stranger = ApiClient(mallory).post(f"sessions/{session}/messages", {"text": "hello"})

    assert (viewer.status, stranger.status) == (403, 404)
