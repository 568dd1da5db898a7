"""Parsing frames. What cannot be parsed is refused with a sentence, and with the id and the Session that it names."""

import json
from uuid import uuid4

import pytest
from msgspec import UNSET

from sessions_core.protocol.errors import BadField, BadFrame, Refusal
from sessions_core.protocol.frames import Ping, Post, addressee, parse

ID, SESSION = uuid4(), uuid4()
DEEP = 5000


def post(**more: object) -> str:
    return json.dumps({"type": "post", "id": str(ID), "session": str(SESSION), "parts": [], **more})


def test_a_frame_is_its_value_and_unknown_fields_are_ignored() -> None:
    assert parse('{"type": "ping", "n": 3, "later": true}') == Ping(n=3)
    assert isinstance(parse(post()), Post)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", BadFrame),
        ("x", BadFrame),
        ("[]", BadFrame),
        ("{}", BadFrame),
        ('{"type": "nothing"}', BadFrame),
        ('{"type": 3}', BadFrame),
        ('{"type": "ping", "x": ' + "[" * DEEP + "]" * DEEP + "}", BadFrame),
        ('{"type": "hello"}', BadField),
        ('{"type": "ping", "n": 99999999999999999999999}', BadField),
        (post(parts=[{"type": "text", "text": "a\ud800"}]), BadField),
        (post(parts=3), BadField),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(text: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal) as refused:
        parse(text)

    assert refused.value.message.endswith(".")


def test_a_refused_command_keeps_its_id_and_its_session() -> None:
    for text in (post(parts=3), post(parts=[{"type": "text", "text": "a\ud800"}])):
        assert addressee(text) == (ID, SESSION)
    assert addressee(post(parts="[" * DEEP)) == (ID, SESSION)
    for text in ("x", '{"id": 3}', '{"x": ' + "[" * DEEP + "]" * DEEP + "}"):
        assert addressee(text) == (UNSET, UNSET)
