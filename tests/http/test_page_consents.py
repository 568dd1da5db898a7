"""What agents may do without asking is listed for everybody who takes part, and owner and editors take it back."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from sessions_core.models import Consent
from sessions_core.protocol.events import RunCompleted
from sessions_core.protocol.ids import ClientId, SessionId
from sessions_core.services import access, asks, runs
from tests.http.clients import claim_run, create_session, post_message, with_participant

LOOK: dict[str, Any] = {"type": "object", "properties": {"at": {"type": "string"}}}


def allow_always(session: SessionId, by: User, tool: str) -> None:
    claim = claim_run(post_message(session, by).run)
    ask = asks.open_ask(claim, tool, title=tool, kind="approval", schema=LOOK, call="c1", tool=tool).ask
    value = {"approve": True, "remember": True}
    asks.answer(session, ask, by=access.author(by), client_id=ClientId(uuid4()), value=value)
    runs.finish(claim, RunCompleted())


def listed(reader: Client, session: SessionId) -> str:
    page = reader.get(reverse("consents", args=[session]))
    assert page.status_code == 200
    return page.content.decode()


def form_of(tool: str) -> dict[str, object]:
    return {"agent": Consent.objects.get(tool=tool).agent, "tool": tool, "client_id": uuid4()}


def test_a_consent_is_listed_and_taken_back(reader: Client, alice: User) -> None:
    session = create_session(alice)
    for tool in ("look", "send"):
        allow_always(session, alice, tool)
    assert "Revoke “look”" in listed(reader, session)

    revoke, form = reverse("revoke_consent", args=[session]), form_of("look")
    for _ in range(2):  # a double click
        assert reader.post(revoke, form, follow=True).redirect_chain[-1][0] == reverse("consents", args=[session])

    assert "Revoke “look”" not in listed(reader, session)
    assert "Revoke “send”" in listed(reader, session)


def test_what_somebody_else_has_taken_back_is_no_error(reader: Client, alice: User) -> None:
    session = create_session(alice)
    allow_always(session, alice, "look")
    form = form_of("look")
    Consent.objects.all().delete()

    page = reader.post(reverse("revoke_consent", args=[session]), form, follow=True)

    assert page.status_code == 200
    assert "agents ask before each tool" in page.content.decode()


def test_a_viewer_sees_what_is_allowed_and_cannot_change_it(client: Client, alice: User, bob: User) -> None:
    session = with_participant(create_session(alice), bob, "viewer")
    allow_always(session, alice, "look")
    client.force_login(bob)

    assert "look" in listed(client, session)
    assert "Revoke" not in listed(client, session)
    page = client.post(reverse("revoke_consent", args=[session]), form_of("look"), follow=True)
    assert "You can read this conversation, but not write in it." in page.content.decode()
    assert Consent.objects.count() == 1


@pytest.mark.parametrize("name", ["consents", "revoke_consent"])
def test_strangers_see_nothing(client: Client, alice: User, mallory: User, name: str) -> None:
    session = create_session(alice)
    allow_always(session, alice, "look")
    form = form_of("look")
    client.force_login(mallory)

    address = reverse(name, args=[session])
    page = client.get(address) if name == "consents" else client.post(address, form)

    assert page.status_code == 404
    assert Consent.objects.count() == 1
