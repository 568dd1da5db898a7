"""Who calls the API in these tests: a script with a token, or a browser with a cookie; and what they find."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.test import Client

from sessions_core.models import Participant
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import Part
from sessions_core.protocol.ids import ClientId, RunId, SessionId
from sessions_core.services import access, messages, runs, sessions, tokens

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response


class Script:
    """A program that calls the API as somebody; the body it gets is in `said`."""

    def __init__(self, user: User | None, *, can_write: bool = True) -> None:
        self.token = tokens.issue(user, can_write=can_write) if user else ""
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=False)

    def call(self, method: str, path: str, body: object = None, *, key: object = None, raw: bytes = b"") -> "Answer":
        headers: dict[str, str] = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if key is not None:
            headers["Idempotency-Key"] = str(key)
        data = raw or (json.dumps(body).encode() if body is not None else b"")
        return Answer(
            self.client.generic(method, f"/api/{path}", data, content_type="application/json", headers=headers)
        )

    def get(self, path: str) -> "Answer":
        return self.call("GET", path)

    def ask(self, path: str, query: Mapping[str, str]) -> "Answer":
        return self.get(f"{path}?{urlencode(query)}")

    def post(self, path: str, body: object = None, *, key: object = None) -> "Answer":
        return self.call("POST", path, body, key=key)

    def patch(self, path: str, body: object) -> "Answer":
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> "Answer":
        return self.call("DELETE", path)


class Answer:
    """Status, headers and body of an answer; `code` is the refusal's."""

    def __init__(self, response: "Response") -> None:
        self.status = HTTPStatus(response.status_code)
        self.headers: Mapping[str, str] = response.headers
        self.content = response.content
        self.said: Any = json.loads(response.content) if response.content else None

    @property
    def code(self) -> str:
        """The refusal's code, once its form is found to be the documented one."""
        assert set(self.said) == {"error"}, self.said
        assert set(self.said["error"]) == {"code", "message", "retry"}
        assert self.said["error"]["message"].endswith((".", "!", "?"))
        return str(self.said["error"]["code"])


def author(user: User) -> Author:
    return access.author(user)


def begun(by: User, *, title: str = "", agent: str = "") -> SessionId:
    """A new Session of that user."""
    return sessions.create(by=author(by), title=title, agent=agent)


def joined(session: SessionId, user: User, role: str = "editor") -> SessionId:
    """The same Session, after the user was let in."""
    Participant.objects.create(session_id=session, user=user, role=role)
    return session


def said(session: SessionId, by: User, text: str = "hello") -> messages.Posted:
    return messages.post(session, by=author(by), client_id=ClientId(uuid4()), parts=[Part(type="text", text=text)])


def claimed(run: RunId | UUID) -> Claim:
    """The Run in a worker's hands."""
    claim = runs.claim(RunId(run), worker="worker-1")
    assert claim is not None
    return claim
