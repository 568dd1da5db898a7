"""The site, started once for all browser tests: `manage.py up` with its web server and worker, a fake provider for the
Assistant, and a second web process for which no model is set.
"""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sessions_core.protocol.ids import SessionId
from tests.e2e.catalogue import keeper, painter  # noqa: F401  # this process, too, creates Sessions with them
from tests.support.fake_provider import Provider
from tests.support.machine import ROOT, Machine, free_port, machine
from tests.support.runserver import runserver
from tests.support.scripts import allow
from tests.support.waiting import START_S, until

MODEL: Final = "a-model"
SETTINGS: Final = {"DJANGO_SETTINGS_MODULE": "tests.e2e.settings"}
NO_MODEL: Final = {"CHAT_MODEL": "", "CHAT_MODEL_URL": "", "CHAT_MODEL_KEY": ""}
T = TypeVar("T")


class Site:
    """The machine, as tests see it. `url` has a model, `plain_url` is the same site without one."""

    def __init__(self, machine: Machine, provider: Provider, url: str, plain_url: str) -> None:
        self.machine = machine
        self.provider = provider
        self.url = url
        self.plain_url = plain_url

    def allow(self, session: SessionId, words: int) -> None:
        """Lets a script of the Session that waits (`wait_at`) go on, up to so many words."""
        allow(self.machine.folder, session, words)


@contextmanager
def site(*, on_daphne: bool) -> Iterator[Site]:
    """Starts a site on the database and the Valkey of this pytest process, so that tests can look into the log. Browsers may be
    served by daphne, beside the machine's own web server.
    """
    services = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
    with _provider() as provider:
        model = {"CHAT_MODEL": MODEL, "CHAT_MODEL_URL": provider.url, "CHAT_MODEL_KEY": "sk-test"}
        with (
            machine(**services, **model, **SETTINGS) as made,
            _web(made, on_daphne=on_daphne) as url,
            _plain_web(made) as plain_url,
        ):
            yield Site(made, provider, url, plain_url)


@contextmanager
def _web(machine: Machine, *, on_daphne: bool) -> Iterator[str]:
    """Yields the address of the machine's own web server, or of daphne beside it."""
    if not on_daphne:
        yield machine.url
        return
    with runserver(machine.folder / "runserver.log", machine.environment) as address:
        yield f"http://{address}"


@contextmanager
def _plain_web(machine: Machine) -> Iterator[str]:
    """Starts a second `manage.py web` of the machine."""
    port = free_port()
    environment = {**machine.environment, **NO_MODEL, "PORT": str(port)}
    with (machine.folder / "plain_web.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "web"], env=environment, stdout=log, stderr=log
        )
    try:
        second = Machine(machine.folder, **{**machine.environment, "PORT": str(port)})
        second.port = port
        until(second.is_ready, within_s=START_S)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(START_S)


@contextmanager
def _provider() -> Iterator[Provider]:
    """Starts the fake provider on an event loop of its own: the tests are not asynchronous."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="provider", daemon=True)
    thread.start()

    def call(act: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(act, loop).result(START_S)

    made = Provider()
    call(made.__aenter__())
    try:
        yield made
    finally:
        call(made.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
