"""Who else is here."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from sessions_core.live.presence import FRAMES_PER_S, PresenceTracker
from sessions_core.machines.roster import FORGET_S, IDLE_AFTER_S, MOST, TYPING_S, Roster
from sessions_core.machines.send_buffer import SendBuffer
from sessions_core.protocol.frames import PresentDevice
from sessions_core.protocol.ids import DeviceId, SessionId, UserId
from tests.ws.person import Frame, Tab

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from sessions_core.protocol.author import Author

AsUser = Callable[..., Tab]
PHONE, LAPTOP = DeviceId(uuid4()), DeviceId(uuid4())


def devices_of(tab: Tab, count: int) -> list[Frame]:
    """The list, once it has so many."""
    while len(found := tab.next("presence")["devices"]) != count:
        pass
    devices: list[Frame] = found
    return devices


def alice_with(*devices: DeviceId) -> Roster:
    roster = Roster()
    for device in devices:
        roster.arrive(_alice(), device, label="", now=0.0)
    return roster


def _alice() -> "Author":
    from sessions_core.protocol.author import Author

    return Author(user=UserId(1), name="Alice")


def test_a_device_that_comes_and_goes_is_seen(as_user: AsUser, alice: "User", session: SessionId) -> None:
    laptop, phone = as_user(alice), as_user(alice)
    laptop.subscribe(session)
    assert [device["device"] for device in devices_of(laptop, 1)] == [laptop.device]

    phone.subscribe(session)
    assert {device["device"] for device in devices_of(laptop, 2)} == {laptop.device, phone.device}
    assert len(devices_of(phone, 2)) == 2

    phone.__exit__()
    assert [device["device"] for device in devices_of(laptop, 1)] == [laptop.device]


def test_typing_is_seen_by_others(as_user: AsUser, alice: "User", session: SessionId) -> None:
    laptop, phone = as_user(alice), as_user(alice)
    laptop.subscribe(session)
    phone.subscribe(session)
    devices_of(laptop, 2)

    phone.send("typing", session=session, active=True)

    typing = {device["device"]: device["typing"] for device in devices_of(laptop, 2)}
    assert typing == {laptop.device: False, phone.device: True}


def test_a_device_with_two_tabs_is_there_once_and_until_the_last_is_closed() -> None:
    roster = alice_with(PHONE, PHONE)

    roster.leave(UserId(1), PHONE)
    assert len(roster.all(1.0)) == 1
    roster.leave(UserId(1), PHONE)
    assert not roster.all(1.0)


def test_one_who_does_nothing_is_idle() -> None:
    roster = alice_with(PHONE)

    assert roster.all(1.0)[0].state == "active"
    assert roster.all(IDLE_AFTER_S)[0].state == "idle"
    roster.act(UserId(1), PHONE, now=IDLE_AFTER_S)
    assert roster.all(IDLE_AFTER_S)[0].state == "active"


def test_typing_ends_by_itself() -> None:
    roster = alice_with(PHONE)
    roster.act(UserId(1), PHONE, now=0.0, typing=True)

    assert roster.all(TYPING_S - 1)[0].typing
    assert not roster.all(TYPING_S)[0].typing


def test_a_process_that_died_takes_its_devices_with_it() -> None:
    roster = alice_with(PHONE)
    elsewhere = alice_with(LAPTOP).here(0.0)
    roster.told("another", elsewhere, now=0.0)

    assert len(roster.all(1.0)) == 2
    assert len(roster.all(FORGET_S)) == 1


def test_a_device_in_two_processes_types_if_it_types_in_one() -> None:
    roster = alice_with(PHONE)
    typing = PresentDevice(device=PHONE, user="1", name="Alice", label="", state="active", typing=True)
    roster.told("another", (typing,), now=0.0)

    assert roster.all(1.0) == (typing,)


def test_a_list_is_bounded() -> None:
    roster = alice_with(*(DeviceId(uuid4()) for _ in range(2 * MOST)))

    assert len(roster.all(1.0)) == MOST


async def test_the_list_of_many_changes_less_often_and_a_newcomer_has_it_at_once() -> None:
    tracker = PresenceTracker(lambda _session, _message: None)
    session, now = SessionId(uuid4()), 1000.0
    send_buffers = [SendBuffer(10**6, lambda: None) for _ in range(101)]
    for send_buffer in send_buffers[:100]:
        tracker.arrive(session, send_buffer, _alice(), DeviceId(uuid4()), label="")
    tracker._update(session, now)

    tracker.arrive(session, send_buffers[100], _alice(), PHONE, label="")
    tracker._update(session, now + 1)
    assert [len(send_buffer) for send_buffer in send_buffers] == [1] * 101

    tracker._update(session, now + 100 / FRAMES_PER_S)
    assert len(send_buffers[0]) == 2
