"""The workers that are alive, and the agents that each of them has. Written by the workers themselves."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from django.db.models.functions import Now

from sessions_core.models import Worker

SEEN_EVERY_S: Final = 5  # a worker says so often that it is alive
ALIVE: Final = timedelta(seconds=20)  # since it was last seen: three times may be missed
FORGET: Final = timedelta(days=1)


def seen(name: str, agents: Collection[str]) -> None:
    """Notes that this worker is alive and has these agents."""
    Worker.objects.update_or_create(name=name, defaults={"agents": sorted(agents), "seen_at": Now()})


def gone(name: str) -> None:
    """Notes that this worker takes no more Runs. Forgets workers that died without a word a day ago."""
    Worker.objects.filter(name=name).delete()
    Worker.objects.filter(seen_at__lt=Now() - FORGET).delete()


def any_alive() -> bool:
    return Worker.objects.filter(seen_at__gt=Now() - ALIVE).exists()


def known_agents() -> set[str]:
    """Returns the agents that at least one living worker has."""
    alive = Worker.objects.filter(seen_at__gt=Now() - ALIVE).values_list("agents", flat=True)
    return {agent for agents in alive for agent in agents}
