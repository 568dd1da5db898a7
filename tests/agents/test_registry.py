"""Finding the agents. What one agent does wrong is not the others' trouble."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import catalogue
from agents.sdk import AgentRun, agent, registry


async def nothing(run: AgentRun) -> None: ...


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Path]:
    """A file of the catalogue that cannot be imported."""
    (tmp_path / "broken.py").write_text("import nothing_of_that_name")
    catalogue.__path__.append(str(tmp_path))
    registry._import_catalogue.cache_clear()
    yield tmp_path
    catalogue.__path__.remove(str(tmp_path))


@pytest.mark.usefixtures("broken")
def test_a_file_that_cannot_be_imported_harms_no_other_agent(caplog: pytest.LogCaptureFixture) -> None:
    assert "guide" in registry.agents()
    assert "agents.catalogue.broken cannot be used" in caplog.text


def test_two_agents_cannot_have_one_name() -> None:
    registry.agents()

    with pytest.raises(registry.AgentTaken, match="give it a name of its own"):
        agent("guide", title="Other", description="")(nothing)
