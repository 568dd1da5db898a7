"""The Roster of one Session: when a device is there, idle or typing."""

from uuid import uuid4

from sessions_core.machines.roster import FORGET_S, IDLE_AFTER_S, MAX_DEVICES, TYPING_S, Roster
from sessions_core.protocol.author import Author
from sessions_core.protocol.frames import PresentDevice
from sessions_core.protocol.ids import DeviceId, UserId

ALICE = Author(user=UserId(1), name="Alice")
PHONE, LAPTOP = DeviceId(uuid4()), DeviceId(uuid4())


def alice_with(*devices: DeviceId) -> Roster:
    roster = Roster()
    for device in devices:
        roster.arrive(ALICE, device, label="", now=0.0)
    return roster


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
    elsewhere = alice_with(LAPTOP).local(0.0)
    roster.receive("another", elsewhere, now=0.0)

    assert len(roster.all(1.0)) == 2
    assert len(roster.all(FORGET_S)) == 1


def test_a_device_in_two_processes_types_if_it_types_in_one() -> None:
    roster = alice_with(PHONE)
    typing = PresentDevice(device=PHONE, user="1", name="Alice", label="", state="active", typing=True)
    roster.receive("another", (typing,), now=0.0)

    assert roster.all(1.0) == (typing,)


def test_a_list_is_bounded() -> None:
    roster = alice_with(*(DeviceId(uuid4()) for _ in range(2 * MAX_DEVICES)))

    assert len(roster.all(1.0)) == MAX_DEVICES
