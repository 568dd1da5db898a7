"""/api/sessions/{session}/messages: saying something."""

from ninja import Router, Status

from sessions_core.api.authentication import ApiRequest
from sessions_core.api.commands import CONFLICTS, IdempotencyKey, command_id
from sessions_core.api.schemas import NewMessage, PostedShown
from sessions_core.protocol.ids import MessageId, SessionId
from sessions_core.services import messages

router = Router(tags=["messages"])


@router.post("/{session}/messages", response={201: PostedShown, 200: PostedShown, **CONFLICTS})
def post_message(
    request: ApiRequest, session: SessionId, new: NewMessage, key: IdempotencyKey = None
) -> Status[dict[str, object]]:
    """Posts a message, which an agent answers; 200 with the first answer when this command was carried out before."""
    client_id = command_id(key)
    posted = messages.post(
        session,
        by=request.auth,
        client_id=client_id,
        parts=new.said(),
        parent=MessageId(new.parent) if new.parent else None,
        agent=new.agent,
        policy=new.policy,
    )
    shown = {"id": client_id, "seq": posted.seq, "message": posted.message, "run": posted.run}
    return Status(200 if posted.repeated else 201, shown)
