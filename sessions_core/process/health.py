"""The health checks for balancers, orchestrators and alarms: /health/live, /health/ready and /health/work."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from functools import cache
from threading import Event
from typing import Final

import redis
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from sessions_core.live import draining
from sessions_core.services import runs, workers

DEADLINE_S: Final = 2.0  # below the time-out of balancers, so that they get our sentence instead
# Pools of their own, with room for two calls of `ready`: a database that hangs blocks these threads and no request.
_DATABASE_THREADS: Final = ThreadPoolExecutor(settings.HEALTH_THREADS, thread_name_prefix="health-database")
_REDIS_THREADS: Final = ThreadPoolExecutor(2, thread_name_prefix="health-redis")
_REDIS_S: Final = 1.5  # below the deadline, so that the thread is free again by then
WAITS_LONG: Final = timedelta(seconds=60)  # for a Run that can be claimed
_MIGRATED: Final = Event()  # checked once: the code of this process, which names the migrations, does not change

_DATABASE: Final = "the database does not answer"
_MIGRATIONS: Final = "migrations are missing"
_REDIS: Final = "Redis does not answer"
_STOPPING: Final = "this process is about to stop"


def live(_request: HttpRequest) -> JsonResponse:
    """Answers 200 as long as the process answers at all."""
    return JsonResponse({"live": True})


def ready(_request: HttpRequest) -> JsonResponse:
    """Answers 200 when database, Redis and migrations are in order; otherwise, and while draining, 503 with a sentence."""
    faults = [_STOPPING] if draining.begun() else _faults()
    if not faults:
        return JsonResponse({"ready": True})
    return _unavailable("ready", f"Not ready: {', '.join(faults)}.")


def work(_request: HttpRequest) -> JsonResponse:
    """Answers 503 with a sentence when no worker is alive, or when a Run has waited longer than WAITS_LONG; otherwise 200.

    For alarms only: a balancer would remove every web server for it, which helps nobody.
    """
    future = _DATABASE_THREADS.submit(_work_fault)
    done, _ = wait([future], timeout=DEADLINE_S)
    sentence = future.result() if done else f"Nobody can tell: {_DATABASE}."
    return _unavailable("working", sentence) if sentence else JsonResponse({"working": True})


def _unavailable(name: str, sentence: str) -> JsonResponse:
    error = {"code": "busy", "message": sentence, "retry": True}
    return JsonResponse({name: False, "error": error}, status=503, headers={"Retry-After": "1"})


def _work_fault() -> str | None:
    try:
        if not workers.any_alive():
            return "No worker is alive: nobody is answered. Start one, or look at its log."
        if runs.waits_longer_than(WAITS_LONG):
            return f"Answers have waited for more than {WAITS_LONG.seconds} s: the workers are too few, or do not work."
    except Error:
        return f"Nobody can tell: {_DATABASE}."
    finally:
        connection.close()  # returns it to the pool, as below
    return None


def _faults() -> list[str]:
    """Returns the faults that were found. A check that misses the deadline counts as a fault."""
    futures = {
        _DATABASE: _DATABASE_THREADS.submit(_database_fault),
        _REDIS: _REDIS_THREADS.submit(_redis_fault),
    }
    done, late = wait(futures.values(), timeout=DEADLINE_S)
    for future in late:
        future.cancel()  # works when it has not begun: otherwise checks would queue up behind those that hang
    faults = [future.result() if future in done else fault for fault, future in futures.items()]
    return [fault for fault in faults if fault]


def _database_fault() -> str | None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return None if _migrated() else _MIGRATIONS
    except Error:
        return _DATABASE
    finally:
        connection.close()  # returns it to the pool: Django does so after requests only


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
