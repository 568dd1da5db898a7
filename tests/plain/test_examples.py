"""The agents that the pages show pass the linters, as files of the catalogue have to."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
RUFF: Final = str(Path(sys.prefix, "bin/ruff"))


def agents() -> Iterator[str]:
    pages = ("docs/tutorial.md", "docs/how-to/write-an-agent.md", "docs/reference/sdk.md", "docs/topics/tools.md")
    for page in pages:
        examples = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
        yield from (example for example in examples if "@agent(" in example)


@pytest.mark.parametrize("agent", list(agents()))
@pytest.mark.parametrize("act", [["check"], ["format", "--check"]])
def test_an_example_is_as_clean_as_an_agent_of_the_catalogue(agent: str, act: list[str]) -> None:
    command = [RUFF, *act, "--quiet", "--stdin-filename", "agents/catalogue/skimmer.py", "-"]
    done = subprocess.run(command, cwd=ROOT, input=agent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
