"""The order in which the programs of this machine start and stop."""

import signal
from collections.abc import Sequence
from types import FrameType
from typing import Final, NoReturn

from django.conf import settings
from django.db import Error

from agents.sdk.registry import problems
from chatapp import env
from chatapp.launcher.listener import address, listen
from chatapp.launcher.supervisor import preparation, programs
from chatapp.launcher.supervisor.lock import locked
from chatapp.launcher.supervisor.output import Output
from chatapp.launcher.supervisor.programs import Program
from chatapp.launcher.supervisor.supervisor import GaveUp, Supervisor

# The users of a service stop before it. PostgreSQL stops last, so that whatever the others still write is kept.
STOP_ORDER: Final = (("web", "worker", "model"), ("valkey",), ("postgres",))
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _StopRequested(BaseException):
    """The process got one of SIGNALS. Raised wherever the main thread is, as KeyboardInterrupt is."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def run() -> int:
    """Runs everything until a signal or a failure, and returns the exit status."""
    for number in SIGNALS:
        signal.signal(number, _request_stop)
    output = Output()
    for sentence in env.misspelt():
        output.write(sentence, "WARNING")
    try:
        with locked(settings.VAR_DIR) as lock, listen(settings.HOST, settings.PORT) as listener:
            _run_until_stopped(output, lock=lock, listener=listener.fileno())
    except _StopRequested as request:
        output.write(f"Stopped by {signal.Signals(request.number).name}.")
        return 0
    except (GaveUp, Error) as reason:
        output.write(f"Gave up. {reason}", "ERROR")
        return 1


def _run_until_stopped(output: Output, *, lock: int, listener: int) -> NoReturn:
    supervisor = Supervisor(output)
    try:
        _start_all(supervisor, output, lock=lock, listener=listener)
        supervisor.watch()
    except _StopRequested as request:
        output.write(f"{signal.Signals(request.number).name}: stopping …")
        raise
    finally:
        _stop_all(supervisor)


def _start_all(supervisor: Supervisor, output: Output, *, lock: int, listener: int) -> None:
    _start(supervisor, programs.services(lock))
    output.write("Bringing the database and the static files up to date.")
    sign_in_path = preparation.prepare()
    _start(supervisor, programs.applications(listener))
    home = address(settings.HOST, settings.PORT)
    output.write(f"Ready: {home}/")
    output.write(f"Sign in as {preparation.DEMO}, once: {home}{sign_in_path}")
    for problem in problems():
        output.write(problem.sentence, "ERROR")


def _start(supervisor: Supervisor, wanted: Sequence[Program]) -> None:
    supervisor.start(wanted)
    supervisor.wait_until_ready(wanted)


def _stop_all(supervisor: Supervisor) -> None:
    """Stops the programs in order. A second signal kills those that are left."""
    try:
        for names in STOP_ORDER:
            supervisor.stop(names)
    except _StopRequested:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        supervisor.kill([name for names in STOP_ORDER for name in names])


def _request_stop(number: int, _frame: FrameType | None) -> None:
    raise _StopRequested(number)
