"""/api/sessions/{session}/queue: the messages that wait for their turn."""

from ninja import Router

from sessions_core.api.authentication import ApiRequest
from sessions_core.api.commands import CONFLICTS, IdempotencyKey, command_id
from sessions_core.api.schemas import QueueChange, QueuedText
from sessions_core.protocol.events import Part
from sessions_core.protocol.ids import MessageId, SessionId
from sessions_core.services import messages, runs

router = Router(tags=["queue"])


@router.post("/{session}/queue/resumption", response={200: QueueChange, **CONFLICTS})
def resume_queue(request: ApiRequest, session: SessionId, key: IdempotencyKey = None) -> dict[str, object]:
    """Lets the queue go on that was paused, because an answer failed or was stopped."""
    client_id = command_id(key)
    changed = runs.resume_queue(session, by=request.auth, client_id=client_id)
    return {"id": client_id, "seq": changed.seq}


@router.patch("/{session}/queue/{message}", response={200: QueueChange, **CONFLICTS})
def edit_queued(
    request: ApiRequest, session: SessionId, message: MessageId, new: QueuedText, key: IdempotencyKey = None
) -> dict[str, object]:
    """Replaces the text of a message that waits in the queue."""
    client_id = command_id(key)
    parts = [Part(type="text", text=new.text)]
    changed = messages.edit_queued(session, by=request.auth, client_id=client_id, message=message, parts=parts)
    return {"id": client_id, "seq": changed.seq}


@router.delete("/{session}/queue/{message}", response={200: QueueChange, **CONFLICTS})
def withdraw(
    request: ApiRequest, session: SessionId, message: MessageId, key: IdempotencyKey = None
) -> dict[str, object]:
    """Takes a message back that waits in the queue."""
    client_id = command_id(key)
    changed = runs.withdraw(session, by=request.auth, client_id=client_id, message=message)
    return {"id": client_id, "seq": changed.seq}
