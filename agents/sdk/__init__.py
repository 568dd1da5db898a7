"""What an agent is written with: `from agents.sdk import AgentRun, agent`. docs/how-to/write-an-agent.md shows how."""

from agents.sdk.failed import AgentFailed
from agents.sdk.message import Message
from agents.sdk.prompt import PromptMessage
from agents.sdk.registry import agent
from agents.sdk.run import AgentRun

__all__ = ["AgentFailed", "AgentRun", "Message", "PromptMessage", "agent"]
