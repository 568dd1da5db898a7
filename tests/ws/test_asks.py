"""Answering questions over the socket."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from tests.ws.tab import Tab

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from sessions_core.protocol.author import Author
    from sessions_core.protocol.ids import SessionId


def test_the_first_answer_counts_on_every_device(
    as_user: Callable[..., Tab], alice: "User", session: "SessionId", owner: "Author"
) -> None:
    from sessions_core.services import asks
    from tests.db.acts import post_and_claim

    claim = post_and_claim(session, owner)
    ask = asks.open_ask(claim, "ask-1", title="Go on?", kind="choice", schema={"enum": ["yes"]}).ask
    laptop, phone, once = as_user(alice), as_user(alice), uuid4()

    laptop.send("answer", id=uuid4(), session=session, ask=ask, value="no")
    refusal = laptop.refusal()
    assert (refusal["code"], refusal["fields"]) == ("bad_answer", {"": "This is none of the choices."})
    laptop.send("answer", id=once, session=session, ask=ask, value="yes")
    first = laptop.next("ok")
    phone.send("answer", id=uuid4(), session=session, ask=ask, declined=True)
    assert phone.refusal()["code"] == "ask_closed"
    phone.send("answer", id=once, session=session, ask=ask, value="yes")

    assert phone.next("ok") == first
