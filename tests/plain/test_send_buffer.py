from sessions_core.machines.send_buffer import REPLY_BYTES, Frame, SendBuffer
from tests.plain.delivery_world import SESSION


def test_an_empty_buffer_takes_any_frame() -> None:
    send_buffer = SendBuffer(10, lambda: None)

    assert send_buffer.put(Frame(text="x" * 100, size=100))
    assert not send_buffer.put(Frame(text="y", size=1))
    assert send_buffer.refused


def test_replies_that_are_not_read_overflow_it() -> None:
    send_buffer = SendBuffer(10, lambda: None)
    for _ in range(REPLY_BYTES // 1000 + 2):
        send_buffer.reply("x" * 1000)

    assert send_buffer.overflowed


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
