"""Whether this process runs, and whether it may be given work."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from threading import Event
from typing import Final

import redis
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from sessions_core.live import draining

DEADLINE_S: Final = 2.0  # a balancer should hear "not ready" from us, not a time-out of its own
# Threads of their own, so that a database that hangs holds these few and no request. Two rounds of checks may hang at once.
_THREADS: Final = ThreadPoolExecutor(max_workers=4, thread_name_prefix="health")
_REDIS_S: Final = 1.5  # below the deadline, so that its thread is free again
_MIGRATED: Final = Event()  # once in order it stays so for this process: its code does not change

_DATABASE: Final = "the database does not answer"
_MIGRATIONS: Final = "migrations are missing"
_REDIS: Final = "Redis does not answer"
_STOPPING: Final = "this process is about to stop"


def live(_request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all."""
    return JsonResponse({"live": True})


def ready(_request: HttpRequest) -> JsonResponse:
    """200 when database, Redis and migrations are in order; 503 and a sentence otherwise, and while draining."""
    faults = [_STOPPING] if draining.begun() else _faults()
    if not faults:
        return JsonResponse({"ready": True})
    error = {"code": "busy", "message": f"Not ready: {', '.join(faults)}.", "retry": True}
    return JsonResponse({"ready": False, "error": error}, status=503, headers={"Retry-After": "1"})


def _faults() -> list[str]:
    """What is wrong. A check that does not come back in time found its fault by that."""
    checks: dict[str, Callable[[], str | None]] = {_DATABASE: _database_fault, _REDIS: _redis_fault}
    asked = {hung: _THREADS.submit(check) for hung, check in checks.items()}
    done, late = wait(asked.values(), timeout=DEADLINE_S)
    for check in late:
        check.cancel()  # one that has not begun, so that they do not queue up behind one that hangs
    found = [check.result() if check in done else hung for hung, check in asked.items()]
    return [fault for fault in found if fault]


def _database_fault() -> str | None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return None if _migrated() else _MIGRATIONS
    except Error:
        return _DATABASE
    finally:
        connection.close()  # back to the pool: this thread is not a request that Django would tidy up after


def _migrated() -> bool:
    if not _MIGRATED.is_set():
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        _MIGRATED.set()
    return True


def _redis_fault() -> str | None:
    try:
        _redis().ping()
    except (redis.RedisError, OSError):
        return _REDIS
    return None


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=_REDIS_S, socket_connect_timeout=_REDIS_S)
