"""Malformed, too many and hostile frames get an answer or a close code, and break nothing."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from tests.support.random_input import many
from tests.ws.tab import Tab

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from sessions_core.protocol.ids import SessionId

AsUser = Callable[..., Tab]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_frame"),
        ("nonsense", "bad_frame"),
        ("[]", "bad_frame"),
        ("null", "bad_frame"),
        ("{}", "bad_frame"),
        ('{"type": "dance"}', "bad_frame"),
        ('{"type": 7}', "bad_frame"),
        (b"\x00\x01", "bad_frame"),
        ('{"type": "ping", "n": "seven"}', "bad_field"),
        ('{"type": "subscribe"}', "bad_field"),
        ('{"type": "subscribe", "session": "x", "last": 0}', "bad_field"),
        ("[" * 5000, "bad_frame"),
    ],
)
def test_frames_that_cannot_be_read_are_answered(as_user: AsUser, alice: "User", text: str | bytes, code: str) -> None:
    tab = as_user(alice)

    tab.send_text(text)

    assert tab.refusal()["code"] == code
    tab.send("ping", n=1)
    assert tab.next("pong")["n"] == 1


@pytest.mark.daphne
def test_hello_comes_first(connect: Callable[..., Tab], alice: "User", session: "SessionId") -> None:
    from sessions_core.services import tokens

    tab = connect(token=tokens.issue(alice))

    tab.send("subscribe", session=session)
    assert tab.refusal()["code"] == "hello_first"
    tab.hello()
    tab.subscribe(session)


def test_a_frame_is_not_larger_than_512_kib(as_user: AsUser, alice: "User") -> None:
    tab = as_user(alice)

    tab.send("ping", filler="x" * 525_000)

    assert tab.close_code() == 1009


@pytest.mark.daphne
def test_many_bad_frames_end_the_socket(as_user: AsUser, alice: "User") -> None:
    tab = as_user(alice)
    for _ in range(10):
        tab.send_text("nonsense")

    assert tab.close_code() == 4400
    assert [frame["type"] for frame in tab.frames].count("error") == 10
    assert tab.frames[-1]["type"] == "goodbye"


@pytest.mark.daphne
def test_a_flood_is_slowed_down_and_told(as_user: AsUser, alice: "User") -> None:
    tab = as_user(alice)
    for number in range(300):
        tab.send("ping", n=number)

    refusal = tab.refusal()
    assert (refusal["code"], refusal["retry"]) == ("rate_limited", True)
    assert refusal["retry_after_ms"] > 0


def test_a_label_that_is_too_long_is_refused(connect: Callable[..., Tab], alice: "User") -> None:
    from sessions_core.services import tokens

    tab = connect(token=tokens.issue(alice))
    tab.send("hello", device=uuid4(), label="x" * 1000)

    assert tab.refusal()["code"] in {"too_large", "bad_field"}
    tab.hello()


ids = st.uuids().map(str)
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | ids,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
types = st.sampled_from(
    ["hello", "subscribe", "unsubscribe", "post", "cancel", "read", "typing", "ping", "answer", "regenerate", "unqueue"]
)
fields = st.sampled_from(["id", "session", "parts", "after", "epoch", "last", "seq", "active", "run", "n", "device"])
frames = st.builds(lambda kind, rest: {**rest, "type": kind}, types, st.dictionaries(fields, junk | ids, max_size=5))


@settings(max_examples=many(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.lists(frames.map(json.dumps) | st.text(max_size=50) | st.binary(max_size=50), min_size=1, max_size=5))
def test_random_frames_break_nothing(
    as_user: AsUser, alice: "User", caplog: pytest.LogCaptureFixture, sent: list[str | bytes]
) -> None:
    tab = as_user(alice)
    for text in sent:
        tab.send_text(text)

    tab.send("ping", n=4242)
    assert tab.next("pong", n=4242)
    assert "could not be executed" not in caplog.text
    assert "could not be read" not in caplog.text
    tab.__exit__()


@settings(max_examples=many(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(min_size=1, max_size=200))
def test_random_bytes_on_the_socket_break_nothing(
    as_user: AsUser, alice: "User", caplog: pytest.LogCaptureFixture, noise: bytes
) -> None:
    broken, whole = as_user(alice), as_user(alice)
    broken.socket.socket.sendall(noise)
    broken.__exit__()

    whole.send("ping", n=1)
    assert whole.next("pong")["n"] == 1
    assert "Traceback" not in caplog.text
    whole.__exit__()


def test_a_socket_that_ends_in_mid_command_leaves_no_trace(
    as_user: AsUser, alice: "User", session: "SessionId"
) -> None:
    tab = as_user(alice)
    tab.send("subscribe", session=session)
    tab.socket.socket.close()

    other = as_user(alice)
    other.subscribe(session)
    with pytest.raises((ConnectionClosed, OSError)):
        tab.send("ping")
