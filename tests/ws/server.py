"""The real server: in a thread of this process, as `manage.py web` runs it, or daphne."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from tests.support.runserver import runserver
from tests.support.waiting import until


@contextmanager
def serving() -> Iterator[str]:
    """Starts the server and yields its address, `127.0.0.1:port`. Stops it afterwards."""
    from chatapp.launcher import server
    from sessions_core.live import draining

    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = server.Server(server.config())
        thread = threading.Thread(target=uvicorn.Server.run, args=(running, [listener]), name="server")
        thread.start()
        try:
            until(lambda: running.started)
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            running.should_exit = True
            thread.join(30)
            draining._DRAINING.clear()  # this process goes on


@contextmanager
def daphne() -> Iterator[str]:
    """Starts `manage.py runserver` on the database of the tests, and yields its address."""
    from django.conf import settings

    database = settings.DATABASES["default"]["NAME"]
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()
    with runserver(Path(os.environ["VAR_DIR"], "runserver.log"), {**os.environ, "DATABASE_URL": url}) as address:
        yield address
