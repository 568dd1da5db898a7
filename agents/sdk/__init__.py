"""What an agent is written with: `from agents.sdk import AgentRun, agent`."""

from agents.sdk.registry import agent

__all__ = ["agent"]
