"""/api/sessions/{session}/messages: posting a Message."""

from ninja import Router, Status

from sessions_core.api.authentication import ApiRequest
from sessions_core.api.commands import CONFLICTS, IdempotencyKey, command_id
from sessions_core.api.schemas import NewMessage, PostedMessage
from sessions_core.protocol.ids import MessageId, SessionId
from sessions_core.services import messages

router = Router(tags=["messages"])


@router.post("/{session}/messages", response={201: PostedMessage, 200: PostedMessage, **CONFLICTS})
def post_message(
    request: ApiRequest, session: SessionId, new: NewMessage, key: IdempotencyKey = None
) -> Status[dict[str, object]]:
    """Posts a message, which an agent answers; 200 with the first response when this command was carried out before."""
    client_id = command_id(key)
    posted = messages.post(
        session,
        by=request.auth,
        client_id=client_id,
        parts=new.message_parts(),
        parent=MessageId(new.parent) if new.parent else None,
        agent=new.agent,
        policy=new.policy,
    )
    body = {"id": client_id, "seq": posted.seq, "message": posted.message, "outcome": posted.outcome, "run": posted.run}
    return Status(200 if posted.repeated else 201, body)
