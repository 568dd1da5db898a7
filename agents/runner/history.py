from django.db.models import TextField
from django.db.models.functions import Cast

from agents.runner import prompt_view
from agents.sdk import PromptMessage
from sessions_core.models import Event
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import decode_fact
from sessions_core.protocol.ids import RunId


def read_prompt(claim: Claim) -> list[PromptMessage]:
    """Returns the prompt of the Run's agent, read from the log. Reads no deltas: a long conversation costs its Messages only."""
    events = Event.objects.filter(session_id=claim.session, kind__in=prompt_view.KINDS).order_by("seq")
    rows = events.annotate(text=Cast("data", TextField())).values_list("run_id", "kind", "text")
    facts = ((RunId(run) if run else None, decode_fact(kind, text)) for run, kind, text in rows)
    return prompt_view.fold(((run, fact) for run, fact in facts if fact is not None), up_to=claim.replies_to)
