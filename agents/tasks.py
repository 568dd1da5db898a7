"""The Celery tasks, `agents.<name>`: one for each agent, so that an agent can be routed to a queue of its own."""

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down

from agents.runner.process import process
from agents.sdk.registry import agents


def perform(run_id: str) -> None:
    """Does the Run, if it is to be had. May be told of it twice, or late: the database decides."""
    process().perform(run_id)


for _name in agents():
    shared_task(name=f"agents.{_name}", ignore_result=True)(perform)


@worker_ready.connect
def start(**_: object) -> None:
    """Leases, cancels and the sweeper are looked after also before the first Run comes."""
    process()


@worker_shutting_down.connect
def hand_back(**_: object) -> None:
    """SIGTERM: Celery waits for its tasks, so these end at once and another worker goes on."""
    process().drain()
