"""Roster: the devices that follow a Session, in all processes together.

Each process sends the list of its own devices to the others, and repeats it. A list that is not repeated is forgotten: so the
devices of a process that was killed disappear, and nothing has to be stored.
"""

from collections.abc import Iterable
from itertools import chain
from math import inf
from typing import Final

from msgspec import Struct

from sessions_core.protocol.author import Author
from sessions_core.protocol.frames import PresentDevice
from sessions_core.protocol.ids import DeviceId, UserId

IDLE_AFTER_S: Final = 60.0  # without any activity
TYPING_S: Final = 6.0  # clients repeat `typing`; for one that vanished it ends after this time
REPEAT_S: Final = 10.0  # how often a process repeats its list, at the most
REPEATS_PER_S: Final = 500  # of a process, over all its Sessions: above 5,000 of them each is repeated less often
MISSES: Final = 2.5  # repeats that did not come: the process is gone
MAX_DEVICES: Final = 50  # in one list, which is sent to each of them on each change

Key = tuple[UserId, DeviceId]


class LocalDevice(Struct):
    """A device that follows by `count` Connections of this process. Times are those of the caller's clock, in seconds."""

    name: str
    label: str
    count: int
    active_at: float
    typing_until: float = 0.0


class Roster:
    """The devices of one Session. The caller passes the time in, in seconds."""

    def __init__(self) -> None:
        self._local: dict[Key, LocalDevice] = {}
        self._remote: dict[str, tuple[float, tuple[PresentDevice, ...]]] = {}  # by process: valid until, devices

    @property
    def has_local(self) -> bool:
        """Whether a device follows from this process."""
        return bool(self._local)

    def arrive(self, by: Author, device: DeviceId, *, label: str, now: float) -> None:
        """Adds a Connection of the device."""
        local = self._local.setdefault(
            (by.user, device), LocalDevice(name=by.name, label=label, count=0, active_at=now)
        )
        local.count += 1
        local.label = label

    def leave(self, user: UserId, device: DeviceId) -> None:
        """Removes a Connection of the device."""
        local = self._local.get((user, device))
        if local is not None:
            local.count -= 1
            if local.count < 1:
                del self._local[user, device]

    def act(self, user: UserId, device: DeviceId, *, now: float, typing: bool | None = None) -> bool:
        """Notes activity of the device; `typing` says that it began or stopped to type. Returns whether the list changes."""
        local = self._local.get((user, device))
        if local is None:
            return False
        before = _is_active(local, now), local.typing_until > now
        local.active_at = now
        if typing is not None:
            local.typing_until = now + TYPING_S if typing else 0.0
        return before != (True, local.typing_until > now)

    def receive(self, process: str, devices: tuple[PresentDevice, ...], *, until: float) -> None:
        """Replaces the list of another process, which is valid until that time."""
        if devices:
            self._remote[process] = (until, devices)
        else:
            self._remote.pop(process, None)

    def next_change(self, now: float) -> float:
        """Returns the time at which the list changes if nothing happens before: somebody becomes idle, ends typing or is
        forgotten.
        """
        idle = (local.active_at + IDLE_AFTER_S for local in self._local.values())
        typed = (local.typing_until for local in self._local.values())
        forgotten = (until for until, _ in self._remote.values())
        return min((at for at in chain(idle, typed, forgotten) if at > now), default=inf)

    def local(self, now: float) -> tuple[PresentDevice, ...]:
        """Returns the devices of this process; if they are too many, those that were active last."""
        newest = sorted(self._local.items(), key=lambda item: -item[1].active_at)[:MAX_DEVICES]
        return tuple(_present(key, device, now) for key, device in newest)

    def all(self, now: float) -> tuple[PresentDevice, ...]:
        """Returns the devices of all processes, each device once."""
        self._remote = {process: entry for process, entry in self._remote.items() if entry[0] > now}
        lists = [self.local(now), *(devices for _, devices in self._remote.values())]
        return tuple(_merged(device for devices in lists for device in devices))[:MAX_DEVICES]


def repeat_s(sessions: int) -> float:
    """Returns how often a process repeats each of its lists, so that all together are never too many."""
    return max(REPEAT_S, sessions / REPEATS_PER_S)


def _is_active(local: LocalDevice, now: float) -> bool:
    return now < local.active_at + IDLE_AFTER_S


def _present(key: Key, local: LocalDevice, now: float) -> PresentDevice:
    user, device = key
    return PresentDevice(
        device=device,
        user=str(user),
        name=local.name,
        label=local.label,
        state="active" if _is_active(local, now) else "idle",
        typing=local.typing_until > now,
    )


def _merged(devices: Iterable[PresentDevice]) -> Iterable[PresentDevice]:
    """Returns each device once. One that follows from several processes is active, or types, if it does so in one of them."""
    found: dict[tuple[str, DeviceId], PresentDevice] = {}
    for device in devices:
        other = found.get((device.user, device.device))
        if other is None or (device.typing, device.state == "active") > (other.typing, other.state == "active"):
            found[device.user, device.device] = device
    return sorted(found.values(), key=lambda device: (device.user, str(device.device)))
