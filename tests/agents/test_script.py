"""The scripted agent's orders."""

import pytest

from agents.catalogue.script import Script, parse
from agents.sdk import AgentFailed


def test_every_field_may_be_left_out() -> None:
    assert parse("{}") == Script(words=100, every_ms=20, pause_after=None, pause_ms=3000, fail_after=None, reason=0)


def test_a_script_is_read() -> None:
    order = '{"words": 200, "every_ms": 20, "pause_after": 50, "pause_ms": 3000, "fail_after": 100, "reason": 20}'

    assert parse(order) == Script(words=200, every_ms=20, pause_after=50, pause_ms=3000, fail_after=100, reason=20)


@pytest.mark.parametrize(
    "text", ["hello", "", "[]", '{"words": -1}', '{"words": "ten"}', '{"wrods": 3}', '{"words": 1e9}']
)
def test_a_bad_script_gets_a_sentence_with_an_example(text: str) -> None:
    with pytest.raises(AgentFailed, match=r'Write a JSON object such as \{"words": 200') as failed:
        parse(text)

    assert failed.value.code == "bad_script"
