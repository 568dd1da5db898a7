"""/api/agents: who can answer."""

from ninja import Router

from sessions_core.api.authentication import ApiRequest
from sessions_core.api.commands import REFUSALS
from sessions_core.api.schemas import AgentList
from sessions_core.services import dispatch

router = Router(tags=["agents"])


@router.get("", response={200: AgentList, **REFUSALS})
def list_agents(request: ApiRequest) -> dict[str, object]:  # noqa: ARG001  # ninja takes it by this name
    """The agents on offer, in the order to show them."""
    offered = dispatch.dispatcher()
    return {"agents": offered.agents(), "default": offered.default()}
