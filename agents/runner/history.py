from django.db.models import TextField
from django.db.models.functions import Cast

from agents.sdk.prompt import KINDS, PromptMessage, turns
from sessions_core.models import Event
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import decode_fact
from sessions_core.protocol.ids import RunId


def read(claim: Claim) -> list[PromptMessage]:
    """The history that a Run is given, from the log. Deltas are not read: a long conversation costs its messages only."""
    events = Event.objects.filter(session_id=claim.session, kind__in=KINDS).order_by("seq")
    rows = events.annotate(text=Cast("data", TextField())).values_list("run_id", "kind", "text")
    facts = ((RunId(run) if run else None, decode_fact(kind, text)) for run, kind, text in rows)
    return turns(((run, fact) for run, fact in facts if fact is not None), up_to=claim.replies_to)
