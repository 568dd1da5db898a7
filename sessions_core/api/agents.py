"""/api/agents: the agents to choose from."""

from ninja import Router

from sessions_core.api.authentication import ApiRequest
from sessions_core.api.commands import REFUSALS
from sessions_core.api.schemas import AgentList
from sessions_core.services import dispatch

router = Router(tags=["agents"])


@router.get("", response={200: AgentList, **REFUSALS})
def list_agents(request: ApiRequest) -> dict[str, object]:  # noqa: ARG001  # ninja takes it by this name
    """Lists the agents that can answer, in the order to show them."""
    dispatcher = dispatch.dispatcher()
    return {"agents": dispatcher.agents(), "default": dispatcher.default()}
