"""Calls sync functions from async code: the only way from the sockets and the runner to the services.

asgiref's `sync_to_async` runs everything on one global thread, so that one slow query delays every socket (docs/decisions.md).
Here many calls run at once, each on a connection of the pool that it gives back at its end. Two executors share the work, and
together with the requests of pages and API they have no more threads than the pool has connections (`chatapp/settings.py`): so
whatever strangers ask for, an append or a heartbeat has a thread and a connection at once.
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
    return await asyncio.get_running_loop().run_in_executor(_shared(), lambda: _call(fn, *args, **kwargs))


async def run_reserved(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Does what `run` does, on threads that no other call takes: for short calls that must go on whatever people ask for. These
    are appends, heartbeats, the check of tails and the recheck of rights.
    """
    return await asyncio.get_running_loop().run_in_executor(_reserved(), lambda: _call(fn, *args, **kwargs))


def _call(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return fn(*args, **kwargs)
    finally:
        connections.close_all()  # gives this thread's connection back to the pool


@cache
def _shared() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=settings.BRIDGE_THREADS, thread_name_prefix="database")


@cache
def _reserved() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=settings.RESERVED_THREADS, thread_name_prefix="reserved")
