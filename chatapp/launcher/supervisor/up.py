"""The order of things."""

import signal
from collections.abc import Sequence
from types import FrameType
from typing import Final, NoReturn

from django.conf import settings
from django.db import Error

from chatapp.launcher.listener import address, listen
from chatapp.launcher.supervisor import first_steps, parts
from chatapp.launcher.supervisor.lock import locked
from chatapp.launcher.supervisor.output import Output
from chatapp.launcher.supervisor.parts import Part
from chatapp.launcher.supervisor.supervisor import GaveUp, Supervisor

# What uses the services ends before them; PostgreSQL last, so that everybody's last words are kept.
STOP_ORDER: Final = (("web", "worker", "model"), ("valkey",), ("postgres",))
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Asked(BaseException):
    """Somebody asked us to stop, by this signal. Raised wherever we are, as KeyboardInterrupt is."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def run() -> int:
    """Runs everything until it is told to stop, or cannot go on; gives the exit status."""
    for number in SIGNALS:
        signal.signal(number, _ask)
    output = Output()
    try:
        with locked(settings.VAR_DIR) as lock, listen(settings.HOST, settings.PORT) as listener:
            _run_until_stopped(output, lock=lock, listener=listener.fileno())
    except _Asked as asked:
        output.say(f"Stopped by {signal.Signals(asked.number).name}.")
        return 0
    except (GaveUp, Error) as reason:
        output.say(f"Gave up. {reason}", "ERROR")
        return 1


def _run_until_stopped(output: Output, *, lock: int, listener: int) -> NoReturn:
    supervisor = Supervisor(output)
    try:
        _keep_running(supervisor, output, lock=lock, listener=listener)
    except _Asked as asked:
        output.say(f"{signal.Signals(asked.number).name}: stopping …")
        raise
    finally:
        _stop(supervisor)


def _keep_running(supervisor: Supervisor, output: Output, *, lock: int, listener: int) -> NoReturn:
    _bring_up(supervisor, parts.services(lock))
    output.say("Bringing the database and the static files up to date.")
    link = first_steps.take()
    _bring_up(supervisor, parts.applications(listener))
    home = address(settings.HOST, settings.PORT)
    output.say(f"Ready: {home}/")
    output.say(f"Sign in as {first_steps.DEMO}, once: {home}{link}")
    supervisor.watch()


def _bring_up(supervisor: Supervisor, wanted: Sequence[Part]) -> None:
    supervisor.start(wanted)
    supervisor.wait_until_ready(wanted)


def _stop(supervisor: Supervisor) -> None:
    """In order; a second signal kills what is left."""
    try:
        for names in STOP_ORDER:
            supervisor.stop(names)
    except _Asked:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        supervisor.kill([name for names in STOP_ORDER for name in names])


def _ask(number: int, _frame: FrameType | None) -> None:
    raise _Asked(number)
