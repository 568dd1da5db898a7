import pytest

from sessions_core.machines.send_buffer import REPLY_BYTES, Frame, Full, SendBuffer
from tests.plain.delivery_world import SESSION


def test_a_frame_of_any_size_fits_where_none_waits() -> None:
    send_buffer = SendBuffer(10, lambda: None)
    send_buffer.reply("subscribed")

    send_buffer.put(Frame(text="x" * 100, size=100))

    assert [send_buffer.take(), send_buffer.take()] == ["subscribed", "x" * 100]


def test_one_that_does_not_fit_cannot_be_taken_for_added() -> None:
    send_buffer = SendBuffer(10, lambda: None)
    send_buffer.put(Frame(text="x" * 10, size=10))

    with pytest.raises(Full):
        send_buffer.put(Frame(text="y", size=1))

    assert send_buffer.refused
    assert len(send_buffer) == 1


def test_replies_have_a_room_of_their_own() -> None:
    send_buffer = SendBuffer(10, lambda: None)
    send_buffer.put(Frame(text="x" * 10, size=10))
    for _ in range(REPLY_BYTES // 1000):
        send_buffer.reply("x" * 1000)

    with pytest.raises(Full):
        send_buffer.reply("x" * 1000)
    for _ in range(2):
        send_buffer.take()
    send_buffer.put(Frame(text="y" * 10, size=10))
    send_buffer.reply("x" * 1000)


def test_unsent_events_of_a_session_can_be_dropped() -> None:
    send_buffer = SendBuffer(1000, lambda: None)
    send_buffer.put(Frame(text="hers", size=4, session=SESSION))
    send_buffer.reply("ok")

    send_buffer.drop(SESSION)

    assert send_buffer.take() == "ok"
    assert send_buffer.take() is None


def test_the_sender_is_woken_once() -> None:
    woken = []
    send_buffer = SendBuffer(1000, lambda: woken.append(1))
    send_buffer.sleeps = True
    for _ in range(3):
        send_buffer.reply("x")

    assert woken == [1]
