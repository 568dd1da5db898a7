"""Presence: who else has the conversation open."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import msgspec
import pytest

from sessions_core.hints import Message
from sessions_core.live import presence
from sessions_core.live.presence import BATCH, FRAMES_PER_S, UPDATE_S, PresenceTracker
from sessions_core.machines.roster import REPEAT_S
from sessions_core.machines.send_buffer import SendBuffer
from sessions_core.protocol.author import Author
from sessions_core.protocol.frames import PresentDevice
from sessions_core.protocol.ids import DeviceId, SessionId, UserId
from tests.support.waiting import DEADLINE_S, eventually
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


@pytest.mark.daphne
def test_a_device_that_comes_and_goes_is_seen(as_user: AsUser, alice: "User", session: SessionId) -> None:
    laptop, phone = as_user(alice), as_user(alice)
    laptop.subscribe(session)
    assert [device["device"] for device in until_devices(laptop, 1)] == [laptop.device]

    phone.subscribe(session)
    assert {device["device"] for device in until_devices(laptop, 2)} == {laptop.device, phone.device}
    assert len(until_devices(phone, 2)) == 2

    phone.__exit__()
    assert [device["device"] for device in until_devices(laptop, 1)] == [laptop.device]


@pytest.mark.daphne
def test_typing_is_seen_by_others(as_user: AsUser, alice: "User", session: SessionId) -> None:
    laptop, phone = as_user(alice), as_user(alice)
    laptop.subscribe(session)
    phone.subscribe(session)
    until_devices(laptop, 2)

    phone.send("typing", session=session, active=True)

    typing = {device["device"]: device["typing"] for device in until_devices(laptop, 2)}
    assert typing == {laptop.device: False, phone.device: True}


class Others:
    """What the other processes are sent. `gate` closed: the channel layer takes its time."""

    def __init__(self) -> None:
        self.batches: list[list[Message]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, batch: Sequence[tuple[str, Message]]) -> None:
        self.batches.append([message for _, message in batch])
        await self.gate.wait()

    @property
    def messages(self) -> list[Message]:
        return [message for batch in self.batches for message in batch]


@asynccontextmanager
async def running(others: Others) -> AsyncIterator[PresenceTracker]:
    tracker = PresenceTracker(others.send)
    task = asyncio.create_task(tracker.run())
    try:
        yield tracker
    finally:
        task.cancel()


def arrive(tracker: PresenceTracker, session: SessionId) -> SendBuffer:
    send_buffer = SendBuffer(10**6, lambda: None)
    tracker.arrive(session, send_buffer, ALICE, DeviceId(uuid4()), label="")
    return send_buffer


async def test_the_list_of_many_changes_less_often_and_a_newcomer_has_it_at_once() -> None:
    tracker = PresenceTracker(Others().send)
    session, now = SessionId(uuid4()), 1000.0
    send_buffers = [arrive(tracker, session) for _ in range(100)]
    tracker._update(session, now)

    send_buffers.append(arrive(tracker, session))
    tracker._update(session, now + 1)
    assert [len(send_buffer) for send_buffer in send_buffers] == [1] * 101

    tracker._update(session, now + 100 / FRAMES_PER_S)
    assert len(send_buffers[0]) == 2


async def test_the_lists_of_many_sessions_share_few_round_trips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        presence, "TURN_S", DEADLINE_S
    )  # what one turn has made is sent together: on a busy machine less
    others, sessions = Others(), {str(uuid4()) for _ in range(2_000)}
    async with running(others) as tracker:
        for session in sessions:
            arrive(tracker, SessionId(UUID(session)))
        await eventually(lambda: len(others.messages) >= len(sessions))

    assert {message["session"] for message in others.messages} == sessions
    assert len(others.batches) <= 2_000 / BATCH + 10


async def test_while_others_cannot_be_reached_the_readers_here_have_their_list_and_only_the_newest_is_kept() -> None:
    others, sessions = Others(), [SessionId(uuid4()) for _ in range(500)]
    others.gate.clear()
    async with running(others) as tracker:
        first = [arrive(tracker, session) for session in sessions]
        await eventually(lambda: all(map(len, first)))
        second = [arrive(tracker, session) for session in sessions]
        await eventually(lambda: all(map(len, second)))
        others.gate.set()
        await eventually(lambda: len({message["session"] for message in others.messages}) == len(sessions))

    assert len(others.messages) <= len(sessions) + BATCH
    assert all(msgspec.json.decode(message["devices"])[1:] for message in others.messages[BATCH:])


async def test_sessions_that_were_followed_together_are_not_repeated_together() -> None:
    tracker = PresenceTracker(Others().send)
    for _ in range(1_000):
        arrive(tracker, SessionId(uuid4()))
    await tracker._update_due()

    times = sorted(presence.repeat_at for presence in tracker._sessions.values())
    assert times[-1] - times[0] > REPEAT_S / 3
    in_a_tick = max(sum(at <= time < at + UPDATE_S for time in times) for at in times)
    assert in_a_tick < len(times) / 5


async def test_who_asks_is_answered_and_who_only_says_is_not() -> None:
    others, session = Others(), SessionId(uuid4())
    async with running(others) as tracker:
        arrive(tracker, session)
        await eventually(lambda: others.messages)
        assert others.messages[0]["asks"]

        theirs = {**others.messages[0], "process": "another"}
        tracker.receive({**theirs, "asks": False})
        tracker.receive(theirs)
        await eventually(lambda: others.messages[1:])

    assert len(others.messages) == 2
    assert not others.messages[1]["asks"]


async def test_a_process_that_repeats_no_more_takes_its_devices_with_it() -> None:
    tracker, session = PresenceTracker(Others().send), SessionId(uuid4())
    send_buffer = arrive(tracker, session)
    theirs = PresentDevice(device=DeviceId(uuid4()), user="2", name="Bob", label="", state="active", typing=False)
    tracker.receive(
        {
            "session": str(session),
            "process": "another",
            "devices": msgspec.json.encode([theirs]),
            "valid_s": 5.0,
            "asks": False,
        }
    )
    now = asyncio.get_running_loop().time()
    for at in (now, now + 5.0):
        assert tracker._agenda.take(at) == session
        tracker._update(session, at)

    shown = [len(msgspec.json.decode(text)["devices"]) for text in iter(send_buffer.take, None)]
    assert shown == [2, 1]
