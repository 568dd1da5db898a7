"""Keeps parts running. The processes and the reading of their lines are honcho's; starting again and giving up are ours.

honcho's own Manager ends everything when one part ends, and forks a process per part, which would outlive a `kill -9`.
"""

import contextlib
import os
import shlex
import signal
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, NoReturn

from honcho.colour import get_colours
from honcho.printer import Message
from honcho.process import Popen, Process

from chatapp.launcher.supervisor.output import Output
from chatapp.launcher.supervisor.parts import Part

HEALTHY_AFTER_S: Final = 5.0  # a part that lived so long has started well; a later death counts anew
BACKOFF_S: Final = 0.25  # doubled at each death in a row
DEATHS_IN_A_ROW: Final = 5
READY_WITHIN_S: Final = 60.0
TICK_S: Final = 0.05
REASON_LINES: Final = 15


class GaveUp(Exception):  # noqa: N818 - it is what happened
    """A part cannot be kept running. The sentence says which, and what it last said."""


class _Kept:
    """One part and what is known of its process."""

    def __init__(self, part: Part, colour: str) -> None:
        self.part = part
        self.colour = colour
        self.running = False  # from the moment it is to start until it was seen to end
        self.pid: int | None = None
        self.started_at = 0.0
        self.due_at: float | None = None  # when it is to be started again
        self.deaths = 0
        self.last_lines: deque[str] = deque(maxlen=REASON_LINES)


class Supervisor:
    """Starts parts and keeps them running while `wait_until_ready` or `watch` is called. For one thread."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._events: SimpleQueue[Message] = SimpleQueue()
        self._colours = get_colours()
        self._kept: dict[str, _Kept] = {}
        self._stopping = False

    def start(self, parts: Sequence[Part]) -> None:
        for part in parts:
            self._kept[part.name] = _Kept(part, next(self._colours))
            self._launch(self._kept[part.name])

    def wait_until_ready(self, parts: Sequence[Part]) -> None:
        """Raises GaveUp if one does not become ready in time."""
        deadline = time.monotonic() + READY_WITHIN_S
        with ThreadPoolExecutor(max_workers=1) as asking:
            for part in parts:
                while not self._says_ready(part, asking):
                    if time.monotonic() > deadline:
                        raise GaveUp(self._reason(self._kept[part.name], f"is not ready after {READY_WITHIN_S:.0f} s"))
                    self._turn()

    def _says_ready(self, part: Part, asking: ThreadPoolExecutor) -> bool:
        """Asked on a thread of its own: a server that only just starts may be slow to answer, its log should not be."""
        answer = asking.submit(part.is_ready)
        while not answer.done():
            self._turn()
        return answer.result()

    def watch(self) -> NoReturn:
        """Never returns. Raises GaveUp if a part keeps dying."""
        while True:
            self._turn()

    def stop(self, names: Sequence[str]) -> None:
        """Asks the parts of these names to end, and ends what does not in time."""
        self._stopping = True
        for kept in self._running(names):
            while kept.pid is None and kept.running:  # it is only just starting
                self._turn()
            self._signal(kept, kept.part.stop_signal)
        deadline = time.monotonic() + max((kept.part.stop_within_s for kept in self._running(names)), default=0.0)
        while self._running(names) and time.monotonic() < deadline:
            self._turn()
        self.kill(names)

    def kill(self, names: Sequence[str]) -> None:
        for kept in self._running(names):
            self._output.say(f"{kept.part.name} does not stop: killed.", "WARNING")
            self._signal(kept, signal.SIGKILL)
        while self._running(names):
            self._turn()

    def _running(self, names: Sequence[str]) -> list[_Kept]:
        return [kept for name, kept in self._kept.items() if name in names and kept.running]

    def _launch(self, kept: _Kept) -> None:
        part = kept.part
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        process = Process(part.command(), name=part.name, colour=kept.colour, env=environment, cwd=part.folder)
        process._child_ctor = partial(Popen, shell=False, pass_fds=part.fds)  # noqa: SLF001 - no shell between us and it
        kept.started_at = time.monotonic()
        kept.due_at = None
        kept.running = True
        # The kernel tells a process that its owner died when the *thread* that started it ends: this one ends after it.
        Thread(target=process.run, args=(self._events,), name=f"read-{part.name}", daemon=True).start()

    def _turn(self) -> None:
        """Handles what happened, waiting for it a moment; starts what is due."""
        with contextlib.suppress(Empty):
            self._handle(self._events.get(timeout=TICK_S))
            while True:
                self._handle(self._events.get_nowait())
        for kept in self._kept.values():
            self._release_pipe(kept)
            if kept.due_at is not None and time.monotonic() >= kept.due_at and not self._stopping:
                self._launch(kept)

    def _handle(self, message: Message) -> None:
        kept = self._kept[message.name]
        if message.type == "line":
            kept.last_lines.append(self._output.relay(message))
        elif message.type == "start":
            kept.pid = message.data["pid"]
            self._output.say(f"{message.name} is process {kept.pid}.")
        else:
            self._ended(kept, message.data["returncode"])

    def _ended(self, kept: _Kept, status: int) -> None:
        self._signal(kept, signal.SIGKILL)  # what is left of its children
        kept.pid, kept.running = None, False
        if self._stopping:
            self._output.say(f"{kept.part.name} ended.")
            return
        lived_s = time.monotonic() - kept.started_at
        kept.deaths = 1 if lived_s >= HEALTHY_AFTER_S else kept.deaths + 1
        if kept.deaths >= DEATHS_IN_A_ROW:
            raise GaveUp(self._reason(kept, f"ended {kept.deaths} times in a row, {_how(status)}"))
        delay_s = BACKOFF_S * 2 ** (kept.deaths - 1)
        kept.due_at = time.monotonic() + delay_s
        self._output.say(f"{kept.part.name} ended, {_how(status)}; it is started again in {delay_s:g} s.", "WARNING")

    def _reason(self, kept: _Kept, what: str) -> str:
        last = "".join(f"\n    {line}" for line in kept.last_lines)
        command = shlex.join(kept.part.command())
        return f"{kept.part.name} {what}. Its last lines:{last or ' none.'}\nIt was started as: {command}"

    @staticmethod
    def _release_pipe(kept: _Kept) -> None:
        """Ends the children of a part that is dead itself: while they hold its output open, honcho does not see it end."""
        if kept.pid is None:
            return
        with contextlib.suppress(ChildProcessError):
            if os.waitid(os.P_PID, kept.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(kept.pid, signal.SIGKILL)

    @staticmethod
    def _signal(kept: _Kept, number: int) -> None:
        """To the part alone when it is asked; to its whole process group when it is killed."""
        if kept.pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(kept.pid, number)
            else:
                os.kill(kept.pid, number)


def _how(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
