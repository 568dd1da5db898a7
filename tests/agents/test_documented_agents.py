"""The agents that the pages about the SDK show are performed as they stand there."""

import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from agents.sdk import registry
from sessions_core.protocol.events import RunCompleted, RunWaiting
from tests.agents.assistant import Assistant

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (
    "docs/reference/sdk.md",
    *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs/topics").glob("*.md")),
)


def examples() -> list[str]:
    blocks = (
        block for page in PAGES for block in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    )
    return [block for block in blocks if "@agent(" in block]


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Registers the agent of an example, and returns its name."""
    before = {name: [*found] for name, found in registry._registered.items()}

    def load(code: str) -> str:
        (tmp_path / "documented.py").write_text(code)
        spec = importlib.util.spec_from_file_location("documented", tmp_path / "documented.py")
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules["documented"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        (name,) = registry._registered.keys() - before.keys()
        return name

    registry.agents()
    before.update({name: [*found] for name, found in registry._registered.items()})
    yield load
    sys.modules.pop("documented", None)
    registry._registered.clear()
    registry._registered.update(before)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("example", examples(), ids=lambda code: re.findall(r'@agent\("(\w+)"', code)[0])
async def test_a_documented_agent_does_what_it_is_shown_for(
    assistant: Assistant, install: Callable[[str], str], example: str
) -> None:
    log = await assistant.execute(await assistant.post("hello", agent=install(example)))

    assert isinstance(log[-1], RunCompleted | RunWaiting)
