"""The SDK: all that an agent is written with, `from agents.sdk import AgentRun, agent` (docs/reference/sdk.md).

May import `sessions_core.protocol` and `sessions_core.machines`; no Django, no settings, no model library, so that an agent can
be imported and tested alone. A new ability of agents is added here; what a worker has to do for it, in `agents.runner`.

run           one Run, as its agent sees it;  message        a Message that is being written
registry      `@agent`, and finding them;     registration   what may be registered
limits        what a Run may spend;        meter          counts it
journal       keys, and what is kept under them;  steps  doing the work of one;  failure  errors that are kept
waits         when a Run needs no worker
forms         questions as JSON Schema;  outside  the runner's side of people and signals;  durations  “2h”
tool          functions that a model may call;  tool_call, approval  one call, and people's decision on it
prompt        the conversation for a model, cut to a budget;  prompt_reader  reads it, and has it summarised
state         what an agent keeps from Run to Run
model         what the model loop and a Run know of each other;  usage  sums
delta_buffer  gathers what is written into few statements
"""

from agents.sdk.failed import AgentFailed, StateChanged, StepFailed, StepUnknown
from agents.sdk.limits import Limits
from agents.sdk.message import Message
from agents.sdk.outside import Declined, Steer
from agents.sdk.prompt import Cut, Prompt, PromptMessage
from agents.sdk.registry import agent
from agents.sdk.run import AgentRun
from agents.sdk.tool import Tool, tool

__all__ = [
    "AgentFailed",
    "AgentRun",
    "Cut",
    "Declined",
    "Limits",
    "Message",
    "Prompt",
    "PromptMessage",
    "StateChanged",
    "Steer",
    "StepFailed",
    "StepUnknown",
    "Tool",
    "agent",
    "tool",
]
