"""`python -m bench.load.claims COUNT`: makes Sessions with one Run each, claims the Runs, and prints the claims as JSON."""

import json
import sys
from datetime import timedelta
from uuid import uuid4

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db.models.functions import Now  # noqa: E402

from sessions_core import log  # noqa: E402
from sessions_core.models import Run  # noqa: E402
from sessions_core.protocol.author import Author  # noqa: E402
from sessions_core.protocol.events import Part  # noqa: E402
from sessions_core.protocol.ids import ClientId, UserId  # noqa: E402
from sessions_core.services import messages, runs, sessions  # noqa: E402


def make_claim(by: Author) -> dict[str, object]:
    session = sessions.create(by=by, agent="script")
    part = Part(type="text", text="{}")
    posted = messages.post(session, by=by, client_id=ClientId(uuid4()), parts=[part])
    assert posted.run is not None
    claim = runs.claim(session, posted.run, worker="bench")
    if claim is None:
        raise SystemExit("A worker was faster.")
    Run.objects.filter(pk=posted.run).update(lease_until=Now() + timedelta(hours=1))  # no heartbeat renews it
    head = log.heads([session])[session].head
    return {"session": str(session), "run": str(posted.run), "fence": claim.fence, "head": head}


if __name__ == "__main__":
    settings.RUN_DISPATCHER = "tests.support.quiet.QuietDispatcher"
    user, _ = User.objects.get_or_create(username="bench")
    author = Author(user=UserId(user.pk), name="bench")
    json.dump([make_claim(author) for _ in range(int(sys.argv[1]))], sys.stdout)
