"""A worker was killed because one of its Runs had blocked it: that Run ends, the others go on elsewhere."""

from functools import partial
from typing import Final

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from sessions_core.models import Run
from sessions_core.protocol.events import SYSTEM, RunCancelled, RunFailed
from sessions_core.protocol.ids import RunId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import dispatch
from sessions_core.services.runs.end import end_run

BLOCKED: Final = RunFailed(
    code="agent_blocked",
    message="The agent worked without a pause and stopped everything beside it, so its answer was ended.",
    retry=False,
)


def end_blocked(worker: str, held: tuple[RunId, int] | None) -> None:
    """Ends the Run `held` (its id, its fence) that blocked `worker`, which is dead, and hands the worker's other Runs back.

    Handing back costs the others no attempt. Where nobody knows which Run it was (`held` is None) it does cost them one: one of
    them did it, and would do it again for ever.
    """
    if held is not None:
        _end(*held)
    for run_id in Run.objects.filter(worker=worker, state=RunState.RUNNING).values_list("pk", flat=True):
        _hand_back(RunId(run_id), worker, innocent=held is not None)


def _end(run_id: RunId, fence: int) -> None:
    with transaction.atomic(durable=True):
        run = Run.objects.select_for_update().filter(pk=run_id, fence=fence, state=RunState.RUNNING).first()
        if run is not None:
            end_run(run, RunCancelled() if run.cancel_requested_at else BLOCKED, actor=SYSTEM)


def _hand_back(run_id: RunId, worker: str, *, innocent: bool) -> None:
    with transaction.atomic(durable=True):
        mine = Run.objects.filter(pk=run_id, worker=worker, state=RunState.RUNNING)
        run = mine.select_for_update().first()
        if run is None:
            return
        mine.update(lease_until=Now(), fence=F("fence") + 1, handed_back=run.handed_back + innocent)
        transaction.on_commit(partial(dispatch.dispatcher().wake, run_id, run.agent), robust=True)
