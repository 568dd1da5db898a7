"""The processes that the faults happen to, started once, and the rounds that are played on them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.faults.report import Report
from tests.faults.rounds import Result, Round, Scale, a_round
from tests.faults.system import Person, System, system
from tests.support import leftovers

Play = Callable[..., AbstractAsyncContextManager[Round]]

_report = pytest.StashKey[Report]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="faults last as long as in production; writes bench/FAULTS.md")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_report] = Report()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    report = config.stash.get(_report, Report())
    if report.results:
        terminalreporter.write_line("")
        terminalreporter.write_line(report.table())
        if config.getoption("--long", default=False):
            report.write(Path(config.rootpath, "bench/FAULTS.md"))


@pytest.fixture(scope="session")
def is_long(request: pytest.FixtureRequest) -> bool:
    """Whether the faults last as long as they do in production."""
    return bool(request.config.getoption("--long", default=False))


@pytest.fixture(scope="session")
def scale(is_long: bool) -> Scale:  # noqa: FBT001
    return Scale(people=20, tabs=5, stretch=3.0) if is_long else Scale()


@pytest.fixture(scope="session")
def whole() -> Iterator[tuple[System, list[Person]]]:
    """Starts the whole system, in a folder that PostgreSQL's user can reach."""
    with leftovers.open_folder() as folder, system(folder) as made:
        yield made, made.start()


@pytest.fixture(scope="session")
def people(whole: tuple[System, list[Person]]) -> list[Person]:
    return whole[1]


@pytest.fixture
def world(whole: tuple[System, list[Person]]) -> Iterator[System]:
    """The running system. After the test, whatever the fault broke is healed."""
    yield whole[0]
    whole[0].mend()


@pytest.fixture
def play(world: System, people: list[Person], scale: Scale, pytestconfig: pytest.Config) -> Play:
    """`async with play("the fault") as round` plays a round and gives it that name in the report."""

    def start(fault: str, scale: Scale = scale) -> AbstractAsyncContextManager[Round]:
        return a_round(fault, world, people, scale, keep)

    def keep(result: Result) -> None:
        pytestconfig.stash[_report].results.append(result)

    return start
