"""The one way from async code to the sync services: an executor of our own.

Django's own bridges run everything on one global thread, so that one slow query holds up every socket (docs/decisions.md). Here
as many jobs run at once as the database pool has connections, and no job keeps one after it ended.
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
    """What `fn` returns or raises, run on a thread of its own. When the caller is cancelled the job still ends by itself."""
    return await asyncio.get_running_loop().run_in_executor(_executor(), lambda: _job(fn, *args, **kwargs))


def _job(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return fn(*args, **kwargs)
    finally:
        connections.close_all()  # gives this thread's connection back to the pool


@cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=settings.DATABASE_POOL_SIZE, thread_name_prefix="database")
