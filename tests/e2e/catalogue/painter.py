"""An agent that lets nobody but the owner choose."""

from agents.sdk import AgentRun, agent


@agent("painter", title="Painter", description="Asks the owner for a colour.")
async def paint(run: AgentRun) -> None:
    colour = await run.ask(["red", "green"], "Which colour?", by="owner")
    async with run.message() as message:
        await message.append(f"painted {colour}")
