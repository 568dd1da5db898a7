"""An agent whose tool needs an approval. The message tells the fake provider which calls to make."""

from agents.sdk import AgentRun, agent, tool


@tool(approve=True, title="Delete notes")
async def delete_notes(run: AgentRun, because: str) -> str:
    """Deletes notes."""
    return f"deleted because {because}"


@agent("keeper", title="Keeper", description="Deletes notes; asks first.")
async def keep(run: AgentRun) -> None:
    async with run.message() as message:
        await message.model(run.prompt(), tools=[delete_notes])
