"""/api/sessions/{session}/runs and what stops them or starts them anew; asks have their address, and no answer yet."""

from typing import Annotated, Final
from uuid import UUID

from ninja import Query, Router, Status

from sessions_core.api.authentication import ApiRequest
from sessions_core.api.commands import CONFLICTS, REFUSALS, IdempotencyKey, command_id
from sessions_core.api.schemas import RetriedShown, RunList, StoppedShown
from sessions_core.models import Run
from sessions_core.protocol.errors import NotSupported
from sessions_core.protocol.ids import ClientId, RunId, SessionId
from sessions_core.services import access, runs

router = Router(tags=["runs"])

_COLUMNS: Final = (
    "id",
    "agent",
    "state",
    "attempt",
    "replies_to",
    "requested_at",
    "started_at",
    "ended_at",
)


@router.get("/{session}/runs", response={200: RunList, **REFUSALS})
def list_runs(
    request: ApiRequest, session: SessionId, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> dict[str, list[dict[str, object]]]:
    """The Runs of a Session, newest first."""
    access.member(session, user=request.auth.user)
    newest = Run.objects.filter(session_id=session).order_by("-asked_seq")[:limit]
    rows = newest.values(*_COLUMNS, "parent_id", "error")
    return {"runs": [{**row, "parent": row["parent_id"], "error": row["error"] or None} for row in rows]}


@router.post("/{session}/runs/{run}/cancellation", response={200: StoppedShown, **CONFLICTS})
def stop_run(request: ApiRequest, session: SessionId, run: RunId, key: IdempotencyKey = None) -> dict[str, object]:
    """Stop: the Run and what it started. It is a line in the log at once; its agent ends within moments."""
    return _stop(request, session, run, command_id(key))


@router.post("/{session}/cancellation", response={200: StoppedShown, **CONFLICTS})
def stop_session(request: ApiRequest, session: SessionId, key: IdempotencyKey = None) -> dict[str, object]:
    """Stop: all that is at work in the Session."""
    return _stop(request, session, None, command_id(key))


@router.post("/{session}/runs/{run}/retry", response={201: RetriedShown, 200: RetriedShown, **CONFLICTS})
def retry_run(
    request: ApiRequest, session: SessionId, run: RunId, key: IdempotencyKey = None
) -> Status[dict[str, object]]:
    """Asks for the same answer once more, after it failed or was stopped; 200 when this command was carried out before."""
    client_id = command_id(key)
    asked = runs.retry(session, by=request.auth, client_id=client_id, run_id=run)
    return Status(200 if asked.repeated else 201, {"id": client_id, "seq": asked.seq, "run": asked.run})


@router.post("/{session}/asks/{ask}/answer", response=CONFLICTS)
def answer_ask(request: ApiRequest, session: SessionId, ask: UUID) -> None:  # noqa: ARG001  # named for the address
    """Answers a question of an agent. No agent asks any yet, so this refuses with `not_supported`."""
    access.writer(session, user=request.auth.user)
    raise NotSupported


def _stop(request: ApiRequest, session: SessionId, run: RunId | None, client_id: ClientId) -> dict[str, object]:
    stopped = runs.cancel(session, by=request.auth, client_id=client_id, run_id=run)
    return {"id": client_id, "seq": stopped.seq, "runs": stopped.runs}
