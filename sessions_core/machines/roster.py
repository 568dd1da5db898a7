"""Who is here: the devices that follow a Session, in all processes together.

Plain: a Roster is told what happens here and what other processes say, with the time, and says who is present. Nothing is
stored anywhere: each process repeats its own list, and what is not repeated is forgotten, so a process that died takes its
devices with it.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from sessions_core.protocol.author import Author
from sessions_core.protocol.frames import PresentDevice
from sessions_core.protocol.ids import DeviceId, UserId

IDLE_AFTER_S: Final = 60.0  # without doing anything
TYPING_S: Final = 6.0  # a client that types says so again; one that vanished stops by itself
REPEAT_S: Final = 10.0  # how often a process repeats its list
FORGET_S: Final = 25.0  # two repeats missed: that process is gone
MOST: Final = 50  # devices in one list: it goes to each of them on each change

Key = tuple[UserId, DeviceId]


class Here(Struct):
    """One device that follows from this process, with how many Connections."""

    name: str
    label: str
    count: int
    active_at: float
    typing_until: float = 0.0


class Roster:
    """The devices of one Session."""

    def __init__(self) -> None:
        self._here: dict[Key, Here] = {}
        self._elsewhere: dict[str, tuple[float, tuple[PresentDevice, ...]]] = {}

    @property
    def empty_here(self) -> bool:
        return not self._here

    def arrive(self, by: Author, device: DeviceId, *, label: str, now: float) -> None:
        """One Connection of the device begins to follow."""
        here = self._here.setdefault((by.user, device), Here(name=by.name, label=label, count=0, active_at=now))
        here.count += 1
        here.label = label

    def leave(self, user: UserId, device: DeviceId) -> None:
        """One Connection of the device follows no more."""
        here = self._here.get((user, device))
        if here is not None:
            here.count -= 1
            if here.count < 1:
                del self._here[user, device]

    def act(self, user: UserId, device: DeviceId, *, now: float, typing: bool | None = None) -> None:
        """The device did something; `typing`: began or stopped to type."""
        here = self._here.get((user, device))
        if here is not None:
            here.active_at = now
            if typing is not None:
                here.typing_until = now + TYPING_S if typing else 0.0

    def told(self, process: str, devices: tuple[PresentDevice, ...], *, now: float) -> None:
        """What another process says of its own."""
        if devices:
            self._elsewhere[process] = (now + FORGET_S, devices)
        else:
            self._elsewhere.pop(process, None)

    def here(self, now: float) -> tuple[PresentDevice, ...]:
        """The devices of this process; where they are too many, those that did something last."""
        newest = sorted(self._here.items(), key=lambda item: -item[1].active_at)[:MOST]
        return tuple(_device(key, here, now) for key, here in newest)

    def all(self, now: float) -> tuple[PresentDevice, ...]:
        """Everybody, each device once."""
        self._elsewhere = {process: told for process, told in self._elsewhere.items() if told[0] > now}
        lists = [self.here(now), *(devices for _, devices in self._elsewhere.values())]
        return tuple(_merged(device for devices in lists for device in devices))[:MOST]


def _device(key: Key, here: Here, now: float) -> PresentDevice:
    user, device = key
    return PresentDevice(
        device=device,
        user=str(user),
        name=here.name,
        label=here.label,
        state="active" if now - here.active_at < IDLE_AFTER_S else "idle",
        typing=here.typing_until > now,
    )


def _merged(devices: Iterable[PresentDevice]) -> Iterable[PresentDevice]:
    """A device with tabs in several processes is active, or types, if it does so in one."""
    found: dict[tuple[str, DeviceId], PresentDevice] = {}
    for device in devices:
        other = found.get((device.user, device.device))
        if other is None or (device.typing, device.state == "active") > (other.typing, other.state == "active"):
            found[device.user, device.device] = device
    return sorted(found.values(), key=lambda device: (device.user, str(device.device)))
