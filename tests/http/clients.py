"""A client of the API with a token, and the acts that put rows in place for a test."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.models import User
from django.test import Client

from sessions_core.models import Participant, Run
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.services import access, runs, sessions, tokens
from tests.db import acts

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response


class ApiClient:
    """Calls the API with a token of the user; without a user it sends no token."""

    def __init__(self, user: User | None, *, can_write: bool = True) -> None:
        self.token = tokens.issue(user, can_write=can_write) if user else ""
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=False)

    def call(
        self, method: str, path: str, body: object = None, *, key: object = None, raw: bytes = b""
    ) -> "ApiResponse":
        headers: dict[str, str] = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if key is not None:
            headers["Idempotency-Key"] = str(key)
        data = raw or (json.dumps(body).encode() if body is not None else b"")
        return ApiResponse(
            self.client.generic(method, f"/api/{path}", data, content_type="application/json", headers=headers)
        )

    def get(self, path: str) -> "ApiResponse":
        return self.call("GET", path)

    def get_with_query(self, path: str, query: Mapping[str, str]) -> "ApiResponse":
        return self.get(f"{path}?{urlencode(query)}")

    def post(self, path: str, body: object = None, *, key: object = None) -> "ApiResponse":
        return self.call("POST", path, body, key=key)

    def patch(self, path: str, body: object) -> "ApiResponse":
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> "ApiResponse":
        return self.call("DELETE", path)


class ApiResponse:
    """Status, headers and parsed JSON of a response."""

    def __init__(self, response: "Response") -> None:
        self.status = HTTPStatus(response.status_code)
        self.headers: Mapping[str, str] = response.headers
        self.content = response.content
        self.body: Any = json.loads(response.content) if response.content else None

    @property
    def code(self) -> str:
        """Returns the code of a refusal, after checking that the body has the documented form."""
        assert set(self.body) == {"error"}, self.body
        assert set(self.body["error"]) - {"fields"} == {"code", "message", "retry"}
        assert self.body["error"]["message"].endswith((".", "!", "?"))
        return str(self.body["error"]["code"])


def create_session(by: User, *, title: str = "", agent: str = "") -> SessionId:
    """Returns a new Session that the user owns."""
    return sessions.create(by=access.author(by), title=title, agent=agent)


def with_participant(session: SessionId, user: User, role: str = "editor") -> SessionId:
    """Adds the user to the Session, and returns the Session."""
    Participant.objects.create(session_id=session, user=user, role=role)
    return session


def post_message(session: SessionId, by: User, text: str = "hello", **more: object) -> acts.Posted:
    return acts.post_message(session, access.author(by), text, **more)


def claim_run(run: RunId | UUID) -> Claim:
    """Claims the Run for a worker, which must succeed."""
    session = Run.objects.values_list("session_id", flat=True).get(pk=run)
    claim = runs.claim(SessionId(session), RunId(run), worker="worker-1")
    assert claim is not None
    return claim
