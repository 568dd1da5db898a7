"""What `welcome.limits` says holds in every script and every JSON escape."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.support.long_texts import CHARACTERS, as_json, of_length
from tests.ws.tab import Tab

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from sessions_core.protocol.ids import SessionId

AsUser = Callable[..., Tab]


def post(tab: Tab, session: "SessionId", *texts: str, escaped: bool = False) -> None:
    parts = ",".join(f'{{"type":"text","text":{as_json(text, escaped=escaped)}}}' for text in texts)
    tab.send_text(f'{{"type":"post","id":"{uuid4()}","session":"{session}","parts":[{parts}]}}')


@pytest.mark.parametrize("escaped", [False, True], ids=["raw", "escaped"])
@pytest.mark.parametrize("character", CHARACTERS.values(), ids=CHARACTERS)
def test_the_longest_message_is_taken_and_one_character_more_is_refused(
    as_user: AsUser, alice: "User", session: "SessionId", character: str, *, escaped: bool
) -> None:
    tab = as_user(alice)
    limit = tab.frames[0]["limits"]["message_characters"]

    post(tab, session, of_length(character, limit), escaped=escaped)
    assert tab.next("ok")
    post(tab, session, of_length(character, limit + 1), escaped=escaped)

    refused = tab.refusal()
    assert (refused["code"], refused["retry"]) == ("too_large", False)
    assert refused["message"] == "The message has 32,001 characters; at most 32,000 are possible."


def test_as_many_parts_as_the_limit_says_are_taken_and_one_more_is_refused(
    as_user: AsUser, alice: "User", session: "SessionId"
) -> None:
    tab = as_user(alice)
    limits = tab.frames[0]["limits"]
    parts = limits["message_parts"]
    text = "😀" * (limits["message_characters"] // parts)

    post(tab, session, *[text] * parts, escaped=True)
    assert tab.next("ok")
    post(tab, session, *["x"] * (parts + 1))

    refused = tab.refusal()
    assert (refused["code"], refused["retry"]) == ("bad_field", False)
    assert f"{parts} are possible" in refused["message"]
