"""Calls sync functions from async code: the only way from the sockets and the runner to the services.

asgiref's `sync_to_async` runs everything on one global thread, so that one slow query delays every socket (docs/decisions.md).
Here as many calls run at once as the database pool has connections, and each gives its connection back at its end.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")


async def run(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Calls `fn` on a thread; returns or raises what it does. If the caller is cancelled, the call still runs to its end."""
    return await asyncio.get_running_loop().run_in_executor(_executor(), lambda: _call(fn, *args, **kwargs))


def _call(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return fn(*args, **kwargs)
    finally:
        connections.close_all()  # gives this thread's connection back to the pool


@cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=settings.DATABASE_POOL_SIZE, thread_name_prefix="database")
