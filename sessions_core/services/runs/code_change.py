"""The code of an agent has changed since it began a Run: its `version` is another one. The Run begins anew, or it ends."""

from typing import Final, Literal

from django.db.models import CharField
from django.db.models.functions import Cast

from sessions_core import log
from sessions_core.models import Ask, Blob, Run, Signal, Step
from sessions_core.protocol.events import RunFailed, RunRestarted
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.services import asks

# Meanwhile a worker with the newer code may take the Run: while a new version is rolled out, both are at work.
LEFT_TO_NEWER_S: Final = 60.0

NEWER: Final = RunFailed(
    code="code_changed",
    message="This answer was begun by a newer version of the agent than the one that is installed here. Ask again.",
    retry=True,
)
NOT_AGAIN: Final = RunFailed(
    code="code_changed",
    message=(
        "The agent has changed while this answer was at work, and the answer cannot begin anew: something that it has done must"
        " not be done twice. Look at what was done, and ask again for what is missing."
    ),
    retry=True,
)


def judge(
    run: Run, version: int | None, *, free_s: float | None
) -> Literal["goes on", "begins anew", "is left"] | RunFailed:
    """Returns what happens to a Run that a worker has claimed. `version`: that of the worker's code of the agent, None when it
    does not have the agent. `free_s`: for how many seconds any worker could have claimed the Run.

    A worker with older code leaves the Run to workers with newer code. It ends the Run when none of them has come in time.
    """
    begun_with = run.agent_version
    if version is None or begun_with is None or version == begun_with:
        return "goes on"
    if version < begun_with:
        return NEWER if free_s is not None and free_s >= LEFT_TO_NEWER_S else "is left"
    return NOT_AGAIN if Step.objects.filter(run=run, once=True).exists() else "begins anew"


def forget(run: Run) -> RunRestarted:
    """Forgets what the Run has kept and asked, and returns the fact that takes away what it said. The caller has locked its row.
    The signals that it has taken are there again: they came from outside, and will not come twice.
    """
    run_id = RunId(run.pk)
    asks.close_of(run)
    Ask.objects.filter(run=run).update(key=Cast("id", CharField()))  # so that its key can be asked anew
    Signal.objects.filter(run=run).update(consumed_by=None)
    blobs = list(Step.objects.filter(run=run, blob__isnull=False).values_list("blob_id", flat=True))
    Step.objects.filter(run=run).delete()
    Blob.objects.filter(pk__in=blobs).delete()
    voided = tuple(message for message, _, _ in log.messages_of(SessionId(run.session_id), run_id))
    calls = log.calls_in(run_id, voided, after=run.asked_seq) if voided else ()
    return RunRestarted(attempt=run.attempt, voided=voided, voided_calls=calls)
