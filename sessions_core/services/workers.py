"""Workers: which are alive, and which agents each has. Every worker writes its own row. The only writer of Worker."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from django.db.models.functions import Now

from sessions_core.models import Worker

SEEN_EVERY_S: Final = 5  # between two writes of a living worker
ALIVE: Final = timedelta(seconds=20)  # after the last write: three may be missed
FORGET: Final = timedelta(days=1)


def mark_seen(name: str, agents: Collection[str]) -> None:
    """Records that the worker is alive and has these agents. Deletes the rows of workers that ended more than FORGET ago."""
    Worker.objects.filter(seen_at__lt=Now() - FORGET).delete()
    Worker.objects.update_or_create(name=name, defaults={"agents": sorted(agents), "seen_at": Now()})


def any_alive() -> bool:
    return Worker.objects.filter(seen_at__gt=Now() - ALIVE).exists()


def known_agents() -> set[str]:
    """Returns the agents that at least one living worker has."""
    alive = Worker.objects.filter(seen_at__gt=Now() - ALIVE).values_list("agents", flat=True)
    return {agent for agents in alive for agent in agents}


def is_missing(agent: str, *, since: timedelta) -> bool:
    """Returns whether no worker has had the agent for that long, while some worker was alive all the time.

    Without the second condition the first worker after an outage would take the agents of all others for gone.
    """
    watched = Worker.objects.filter(seen_at__gt=Now() - ALIVE, started_at__lt=Now() - since).exists()
    return watched and not Worker.objects.filter(seen_at__gt=Now() - since, agents__contains=[agent]).exists()
