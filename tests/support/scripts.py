"""Orders for the scripted agent, and leave for one that waits."""

import json
from pathlib import Path

from agents.catalogue.script import allowance
from sessions_core.protocol.ids import SessionId


def script(**order: object) -> str:
    """Returns a message for the scripted agent."""
    return json.dumps(order)


def allow(var_dir: Path, session: SessionId, words: int) -> None:
    """Lets the scripts of the Session that wait (`wait_at`) go on, up to so many words."""
    file = allowance(var_dir, session)
    file.parent.mkdir(exist_ok=True)
    new = file.with_suffix(".new")
    new.write_text(str(words))
    new.replace(file)  # at once: the agent never reads half a number
