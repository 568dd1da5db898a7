"""Presence: who else has the conversation open."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from sessions_core.live.presence import FRAMES_PER_S, PresenceTracker
from sessions_core.machines.send_buffer import SendBuffer
from sessions_core.protocol.author import Author
from sessions_core.protocol.ids import DeviceId, SessionId, UserId
from tests.ws.tab import Frame, Tab

if TYPE_CHECKING:
    from django.contrib.auth.models import User

AsUser = Callable[..., Tab]
ALICE = Author(user=UserId(1), name="Alice")


def until_devices(tab: Tab, count: int) -> list[Frame]:
    """Receives until the list has `count` devices, and returns it."""
    while len(found := tab.next("presence")["devices"]) != count:
        pass
    devices: list[Frame] = found
    return devices


def test_a_device_that_comes_and_goes_is_seen(as_user: AsUser, alice: "User", session: SessionId) -> None:
    laptop, phone = as_user(alice), as_user(alice)
    laptop.subscribe(session)
    assert [device["device"] for device in until_devices(laptop, 1)] == [laptop.device]

    phone.subscribe(session)
    assert {device["device"] for device in until_devices(laptop, 2)} == {laptop.device, phone.device}
    assert len(until_devices(phone, 2)) == 2

    phone.__exit__()
    assert [device["device"] for device in until_devices(laptop, 1)] == [laptop.device]


def test_typing_is_seen_by_others(as_user: AsUser, alice: "User", session: SessionId) -> None:
    laptop, phone = as_user(alice), as_user(alice)
    laptop.subscribe(session)
    phone.subscribe(session)
    until_devices(laptop, 2)

    phone.send("typing", session=session, active=True)

    typing = {device["device"]: device["typing"] for device in until_devices(laptop, 2)}
    assert typing == {laptop.device: False, phone.device: True}


async def test_the_list_of_many_changes_less_often_and_a_newcomer_has_it_at_once() -> None:
    tracker = PresenceTracker(lambda _session, _message: None)
    session, now = SessionId(uuid4()), 1000.0
    send_buffers = [SendBuffer(10**6, lambda: None) for _ in range(101)]
    for send_buffer in send_buffers[:100]:
        tracker.arrive(session, send_buffer, ALICE, DeviceId(uuid4()), label="")
    tracker._update(session, now)

    tracker.arrive(session, send_buffers[100], ALICE, DeviceId(uuid4()), label="")
    tracker._update(session, now + 1)
    assert [len(send_buffer) for send_buffer in send_buffers] == [1] * 101

    tracker._update(session, now + 100 / FRAMES_PER_S)
    assert len(send_buffers[0]) == 2
