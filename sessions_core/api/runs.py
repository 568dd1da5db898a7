"""/api/sessions/{session}/runs: listing and stopping Runs, and asking for answers once more."""

from typing import Annotated, Any, Final

from ninja import Query, Router, Status

from sessions_core.api.authentication import ApiRequest
from sessions_core.api.commands import CONFLICTS, REFUSALS, IdempotencyKey, command_id
from sessions_core.api.schemas import NewRun, RunList, StoppedRuns
from sessions_core.models import Run
from sessions_core.protocol.ids import ClientId, MessageId, RunId, SessionId
from sessions_core.services import access, runs

router = Router(tags=["runs"])

_USAGE: Final = ("requests", "input_tokens", "output_tokens", "cached_tokens", "estimated", "cost_usd")
_COLUMNS: Final = (
    *("id", "agent", "state", "attempt", "waits_on", "replies_to", "retry_of", "parent_id"),
    *("requested_at", "started_at", "first_text_at", "ended_at", "error", "error_code"),
    *_USAGE,
)


@router.get("/{session}/runs", response={200: RunList, **REFUSALS})
def list_runs(
    request: ApiRequest, session: SessionId, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> dict[str, list[dict[str, object]]]:
    """Lists the Runs of a Session, newest first."""
    access.member(session, user=request.auth.user)
    rows = Run.objects.filter(session_id=session).order_by("-asked_seq").values(*_COLUMNS)[:limit]
    return {"runs": [_run_out(row) for row in rows]}


@router.post("/{session}/runs/{run}/cancellation", response={200: StoppedRuns, **CONFLICTS})
def stop_run(request: ApiRequest, session: SessionId, run: RunId, key: IdempotencyKey = None) -> dict[str, object]:
    """Stops a Run and the Runs that it started. The request is in the log at once; the agent ends within moments."""
    return _stop(request, session, run, command_id(key))


@router.post("/{session}/cancellation", response={200: StoppedRuns, **CONFLICTS})
def stop_session(request: ApiRequest, session: SessionId, key: IdempotencyKey = None) -> dict[str, object]:
    """Stops all active Runs of the Session."""
    return _stop(request, session, None, command_id(key))


@router.post("/{session}/runs/{run}/retry", response={201: NewRun, 200: NewRun, **CONFLICTS})
def retry_run(
    request: ApiRequest, session: SessionId, run: RunId, key: IdempotencyKey = None
) -> Status[dict[str, object]]:
    """Requests the same answer once more, after it failed or was stopped; 200 when this command was carried out before."""
    client_id = command_id(key)
    requested = runs.retry(session, by=request.auth, client_id=client_id, run_id=run)
    return Status(200 if requested.repeated else 201, {"id": client_id, "seq": requested.seq, "run": requested.run})


@router.post("/{session}/messages/{message}/regeneration", response={201: NewRun, 200: NewRun, **CONFLICTS})
def regenerate(
    request: ApiRequest, session: SessionId, message: MessageId, key: IdempotencyKey = None
) -> Status[dict[str, object]]:
    """Requests another answer beside the one that the message is a part of; 200 when this command was carried out before."""
    client_id = command_id(key)
    requested = runs.regenerate(session, by=request.auth, client_id=client_id, message=message)
    return Status(200 if requested.repeated else 201, {"id": client_id, "seq": requested.seq, "run": requested.run})


def _run_out(row: dict[str, Any]) -> dict[str, object]:
    usage = {name: row[name] for name in _USAGE}
    asked_a_model = usage["requests"] or usage["input_tokens"] or usage["output_tokens"]
    texts = {name: row[name] or None for name in ("error", "error_code", "waits_on")}
    return {**row, **texts, "parent": row["parent_id"], "usage": usage if asked_a_model else None}


def _stop(request: ApiRequest, session: SessionId, run: RunId | None, client_id: ClientId) -> dict[str, object]:
    stopped = runs.cancel(session, by=request.auth, client_id=client_id, run_id=run)
    return {"id": client_id, "seq": stopped.seq, "runs": stopped.runs}
