"""Language models: pydantic-ai behind one streaming function, and its errors as sentences for people.

May import `agents.sdk`. Imports nothing by itself: pydantic-ai takes more than a second, and the web process never loads it.
Outside of this room its modules are imported by `load`.
A new way to reach a model is a file here.

chat      the model of CHAT_MODEL;  compatible  what servers do otherwise than OpenAI
failures  its errors;               ending      why an answer is not whole
loop      requests and tool calls in turn;  request    one request, streamed into the Message
calls     performs tool calls;              approval   people decide about them;  schema  what is shown of a tool
history   the conversation for a model;     usage, prices  what a request used, and its cost
summary   of the beginning of a conversation
local     a small model on this machine
"""

import threading
from importlib import import_module
from types import ModuleType
from typing import Final

_loading: Final = threading.Lock()


def load(name: str) -> ModuleType:
    """Imports a module of this room, which takes more than a second the first time: call it on a thread. One thread at a time,
    because pydantic-ai's modules import each other in a circle, and a second thread would be given half of one.
    """
    with _loading:
        return import_module(f"{__name__}.{name}")
