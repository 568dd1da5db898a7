"""`python -m bench.large.acts TIMES`: times what people and workers do beside a million Events. Prints JSON."""

import hashlib
import json
import resource
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from time import perf_counter
from typing import Any, Final
from uuid import UUID, uuid4

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import RequestFactory  # noqa: E402

from agents.runner import history  # noqa: E402
from sessions_core import log  # noqa: E402
from sessions_core.api.runs import list_runs  # noqa: E402
from sessions_core.models import Run  # noqa: E402
from sessions_core.protocol.author import Author  # noqa: E402
from sessions_core.protocol.claim import Claim  # noqa: E402
from sessions_core.protocol.events import Actor, Part  # noqa: E402
from sessions_core.protocol.ids import ClientId, MessageId, RunId, SessionId, UserId  # noqa: E402
from sessions_core.services import deletion, messages, runs, sessions  # noqa: E402
from sessions_core.services.pruning import Pruning  # noqa: E402
from tests.support import statements  # noqa: E402

HELLO: Final = (Part(type="text", text="Hello"),)


def key(name: str) -> UUID:
    """Returns the id that fill.sql gave to the row of that name."""
    return UUID(hashlib.md5(name.encode()).hexdigest())  # as PostgreSQL makes it


LONG: Final = SessionId(key("long"))


def acts(owner: Author, many: UserId) -> dict[str, Callable[[], object]]:
    run = Run.objects.filter(session_id=LONG).latest("asked_seq")
    actor = Actor(kind="agent", id="guide", name="Guide")
    claim = Claim(
        session=LONG,
        run=RunId(run.pk),
        fence=1,
        actor=actor,
        agent="guide",
        attempt=1,
        replies_to=MessageId(key("question long 50000")),
    )
    parent = MessageId(key("question long 40000"))
    again = ClientId(key("command long 40000"))
    runs_of = RequestFactory().get("/")
    runs_of.auth = owner  # type: ignore[attr-defined]  # as the API's authentication does
    return {
        "post, with a parent": lambda: messages.post(LONG, by=owner, client_id=new_id(), parts=HELLO, parent=parent),
        "post, repeated": lambda: messages.post(LONG, by=owner, client_id=again, parts=HELLO),
        "list of a person with 2,000 old Sessions": lambda: sessions.listing(user=many, limit=41),
        "search in it": lambda: sessions.listing(user=many, search="subject 30", limit=41),
        "newest 100 Runs of the Session": lambda: list_runs(runs_of, LONG),  # type: ignore[arg-type]
        "cold start": lambda: log.cold_start(LONG, messages=50),
        "page of the Session": lambda: log.open_last(LONG, messages=50),
        "input of an agent": lambda: history.read_input(claim),
        "prompt of 20 Messages": lambda: history.read_prompt(claim, 20),
        "longest prompt": lambda: history.read_prompt(claim),
        "sweep for lapsed Runs": runs.end_lapsed,
        "sweep for waiting Runs": lambda: runs.wake_waiting(own_agents=["guide"]),
        "/health/work": lambda: runs.waits_longer_than(timedelta(minutes=1)),
        "a piece of pruning": Pruning().prune,
    }


def new_id() -> ClientId:
    return ClientId(uuid4())


def timed(act: Callable[[], object]) -> float:
    """Returns how long the act takes, in milliseconds."""
    began = perf_counter()
    act()
    return (perf_counter() - began) * 1000


def indexes(act: Callable[[], object]) -> list[str]:
    """Returns how PostgreSQL finds the rows for the act: indexes, and tables that it scans."""
    statements.noted.clear()
    act()
    found: set[str] = set()
    for each in tuple(statements.noted.values()):
        if each.sql.lstrip().startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {each.sql}", each.parameters)
                plan = cursor.fetchone()[0]
            found |= set(scans((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))
    return sorted(found)


def scans(node: dict[str, Any]) -> Iterator[str]:
    if "Index Name" in node:
        yield node["Index Name"]
    elif node["Node Type"] == "Seq Scan":
        yield f"all of {node['Relation Name']}"
    for child in node.get("Plans", ()):
        yield from scans(child)


def measure(act: Callable[[], object], times: int) -> dict[str, Any]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = [timed(act) for _ in range(times)]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"ms": took, "kib": grown, "indexes": indexes(act)}


def delete(owner: Author) -> dict[str, Any]:
    """Deletes the long Session: how long the person waits, and how long each piece of the removal takes."""
    waited = timed(lambda: deletion.delete(LONG, by=owner))
    pieces: list[float] = []
    left = True
    while left:
        began = perf_counter()
        left = deletion.remove_piece()
        pieces.append((perf_counter() - began) * 1000)
    return {"waited": waited, "pieces": pieces}


def main() -> None:
    settings.RUN_DISPATCHER = "tests.support.quiet.QuietDispatcher"
    settings.WAITING_RUNS = 100_000
    statements.watch()
    owner = Author(user=UserId(User.objects.get(username="long").pk), name="long")
    many = UserId(User.objects.get(username="many").pk)
    times = int(sys.argv[1])
    measured = {name: measure(act, times) for name, act in acts(owner, many).items()}
    json.dump({"acts": measured, "delete": delete(owner)}, sys.stdout)


if __name__ == "__main__":
    main()
