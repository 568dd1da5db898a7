"""/api/sessions/{session}/asks, /consents and …/signals: what Runs ask of people and programs, and what people allow."""

from ninja import Router, Status

from sessions_core.api.authentication import ApiRequest
from sessions_core.api.commands import CONFLICTS, REFUSALS, IdempotencyKey, command_id
from sessions_core.api.schemas import Answered, AskList, ConsentList, GivenAnswer, GivenSignal
from sessions_core.protocol.errors import BadField
from sessions_core.protocol.ids import AskId, RunId, SessionId
from sessions_core.services import asks, consents, signals

router = Router(tags=["asks"])


@router.get("/{session}/asks", response={200: AskList, **REFUSALS}, by_alias=True)
def list_asks(request: ApiRequest, session: SessionId) -> dict[str, object]:
    """Lists the open questions of a Session, oldest first."""
    return {"asks": asks.open_in(session, user=request.auth.user)}


@router.post("/{session}/asks/{ask}/answer", response={200: Answered, **CONFLICTS})
def answer_ask(
    request: ApiRequest, session: SessionId, ask: AskId, given: GivenAnswer, key: IdempotencyKey = None
) -> dict[str, object]:
    """Answers a question with a `value` that fits its schema, or declines to. The first answer counts."""
    client_id = command_id(key)
    if given.declined:
        answered = asks.decline(session, ask, by=request.auth, client_id=client_id)
    elif "value" in given.model_fields_set:
        answered = asks.answer(session, ask, by=request.auth, client_id=client_id, value=given.value)
    else:
        raise BadField("Give a `value`, or `declined`.")
    return {"id": client_id, "seq": answered.seq}


@router.get("/{session}/consents", response={200: ConsentList, **REFUSALS})
def list_consents(request: ApiRequest, session: SessionId) -> dict[str, object]:
    """Lists the tools that agents may use in a Session without asking."""
    granted = consents.of_session(session, user=request.auth.user)
    return {
        "consents": [
            {
                "agent": each.agent,
                "tool": each.tool,
                "granted_by": each.granted_by.get_username() if each.granted_by else None,
                "granted_at": each.granted_at,
            }
            for each in granted
        ]
    }


@router.delete("/{session}/consents/{agent}/{tool}", response={200: Answered, **CONFLICTS})
def revoke_consent(
    request: ApiRequest, session: SessionId, agent: str, tool: str, key: IdempotencyKey = None
) -> dict[str, object]:
    """Takes a consent back: the agent asks again before it uses the tool."""
    client_id = command_id(key)
    revoked = consents.revoke(session, by=request.auth, client_id=client_id, agent=agent, tool=tool)
    return {"id": client_id, "seq": revoked.seq}


@router.post("/{session}/runs/{run}/signals/{name}", response={201: Answered, 200: Answered, **CONFLICTS})
def send_signal(  # noqa: PLR0917  # ninja calls it by name
    request: ApiRequest, session: SessionId, run: RunId, name: str, given: GivenSignal, key: IdempotencyKey = None
) -> Status[dict[str, object]]:
    """Sends a signal to a Run, which its agent waits for by name; 200 when this command was carried out before."""
    client_id = command_id(key)
    received = signals.send(session, run, name, by=request.auth, client_id=client_id, value=given.value)
    return Status(200 if received.repeated else 201, {"id": client_id, "seq": received.seq})
