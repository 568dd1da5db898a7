"""Clears up after a worker that a Run has blocked or killed: ends that Run or counts its attempt, and hands the others back."""

from typing import Final

from django.db import transaction

from sessions_core.models import Run
from sessions_core.protocol.events import SYSTEM, RunCancelled, RunFailed
from sessions_core.protocol.ids import RunId
from sessions_core.protocol.run_states import RunState
from sessions_core.services.runs.attempt import hand_back
from sessions_core.services.runs.end import end_run

BLOCKED: Final = RunFailed(
    code="agent_blocked",
    message="The agent worked without a pause and stopped everything beside it, so its answer was ended.",
    retry=False,
)


def end_blocked(worker: str, held: tuple[RunId, int] | None) -> None:
    """Ends the Run that blocked the dead `worker`, given as (id, fence) in `held`, and hands the other Runs of the worker back.

    Handing back costs the others no attempt. It does cost one when the Run is not known (`held` is None): one of them blocked the
    worker, and without a count it would do so for ever.
    """
    if held is not None:
        _end(*held)
    for run_id in Run.objects.filter(worker=worker, state=RunState.RUNNING).values_list("pk", flat=True):
        _hand_back(RunId(run_id), worker, counted=held is None)


def hand_over(worker: str, held: tuple[RunId, int] | None) -> None:
    """Hands back the Runs of a `worker` that has died while it executed the Run `held`, given as (id, fence).

    Only the attempt of that one counts: a Run that kills each of its workers ends, and takes no other along. Where it is not
    known (None), the attempts of all count.
    """
    for run_id in Run.objects.filter(worker=worker, state=RunState.RUNNING).values_list("pk", flat=True):
        _hand_back(RunId(run_id), worker, counted=held is None or run_id == held[0])


def _end(run_id: RunId, fence: int) -> None:
    with transaction.atomic(durable=True):
        run = Run.objects.select_for_update().filter(pk=run_id, fence=fence, state=RunState.RUNNING).first()
        if run is not None:
            end_run(run, RunCancelled() if run.cancel_requested_at else BLOCKED, actor=SYSTEM)


def _hand_back(run_id: RunId, worker: str, *, counted: bool) -> None:
    with transaction.atomic(durable=True):
        hand_back(Run.objects.filter(pk=run_id, worker=worker, state=RunState.RUNNING), counted=counted)
