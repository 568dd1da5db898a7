"""The Roster of one Session: when a device is there, idle or typing."""

import math
from uuid import uuid4

from sessions_core.machines.roster import (
    IDLE_AFTER_S,
    MAX_DEVICES,
    REPEAT_S,
    REPEATS_PER_S,
    TYPING_S,
    Roster,
    repeat_s,
)
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
    roster.receive("another", elsewhere, until=25.0)

    assert len(roster.all(1.0)) == 2
    assert len(roster.all(25.0)) == 1


def test_a_device_in_two_processes_types_if_it_types_in_one() -> None:
    roster = alice_with(PHONE)
    typing = PresentDevice(device=PHONE, user="1", name="Alice", label="", state="active", typing=True)
    roster.receive("another", (typing,), until=25.0)

    assert roster.all(1.0) == (typing,)


def test_a_list_is_bounded() -> None:
    roster = alice_with(*(DeviceId(uuid4()) for _ in range(2 * MAX_DEVICES)))

    assert len(roster.all(1.0)) == MAX_DEVICES


def test_it_says_when_the_list_changes_by_itself() -> None:
    roster = alice_with(PHONE)
    assert roster.next_change(0.0) == IDLE_AFTER_S

    roster.act(UserId(1), PHONE, now=1.0, typing=True)
    assert roster.next_change(1.0) == 1.0 + TYPING_S
    roster.receive("another", alice_with(LAPTOP).local(0.0), until=3.0)
    assert roster.next_change(1.0) == 3.0
    assert roster.next_change(1.0 + IDLE_AFTER_S) == math.inf


def test_only_what_changes_the_list_is_a_change() -> None:
    roster = alice_with(PHONE)

    assert not roster.act(UserId(1), PHONE, now=1.0)
    assert roster.act(UserId(1), PHONE, now=2.0, typing=True)
    assert not roster.act(UserId(1), PHONE, now=3.0, typing=True)
    assert roster.act(UserId(1), PHONE, now=4.0, typing=False)
    assert roster.act(UserId(1), PHONE, now=4.0 + IDLE_AFTER_S)


def test_repeats_of_any_number_of_sessions_are_bounded() -> None:
    assert repeat_s(1) == REPEAT_S
    assert all(sessions / repeat_s(sessions) <= REPEATS_PER_S for sessions in (1, 5_000, 10_000, 1_000_000))
