"""The processes that the faults happen to, started once, and the rounds that are played on them."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from django.conf import settings

from tests.faults.processes import Process
from tests.faults.report import Report
from tests.faults.rounds import Result, Round, Scale, a_round
from tests.faults.system import Person, System, system
from tests.support import leftovers
from tests.support.fake_provider import Provider

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
        terminalreporter.write_line(f"{report.table()}\n\n{report.promises()}")
        if config.getoption("--long", default=False):
            report.write(Path(config.rootpath, "bench/FAULTS.md"), lease_s=settings.LEASE_S)


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
def world(whole: tuple[System, list[Person]], request: pytest.FixtureRequest) -> Iterator[System]:
    """The running system: with a second worker or web process, where the test wants it. After the test, whatever the fault broke
    is healed.
    """
    system = whole[0]
    system.spare(system.workers[1], wanted="second_worker" in request.fixturenames)
    system.spare(system.webs[1], wanted="second_web" in request.fixturenames)
    yield system
    system.mend()


@pytest.fixture
def second_worker(world: System) -> Process:
    """The second worker, ready. It stays for the next test that wants it: starting one takes seconds."""
    return world.workers[1]


@pytest.fixture
def second_web(world: System) -> Process:
    """The second web process, ready."""
    return world.webs[1]


@pytest.fixture
async def provider(world: System) -> AsyncIterator[Provider]:
    """The model's provider."""
    async with Provider(world.provider_port) as provider:
        yield provider


@pytest.fixture
def play(world: System, people: list[Person], scale: Scale, pytestconfig: pytest.Config) -> Play:
    """`async with play("the fault") as round` plays a round and gives it that name in the report."""

    def start(fault: str, scale: Scale = scale) -> AbstractAsyncContextManager[Round]:
        return a_round(fault, world, people, scale, keep)

    def keep(result: Result) -> None:
        pytestconfig.stash[_report].results.append(result)

    return start
