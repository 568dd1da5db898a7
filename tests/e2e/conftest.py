"""A real site, real browsers, and the cast. `page_of(alice, "laptop")` is a tab on Alice's laptop, signed in."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import pytest
from playwright.sync_api import expect

from tests.support import chromium, runserver
from tests.support.waiting import DEADLINE_MS

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext
    from pytest_django.plugin import DjangoDbBlocker

    from tests.e2e.people import Person
    from tests.e2e.screen import Complaints, Screen
    from tests.e2e.site import Site
    from tests.support.proxy import Proxy

# Playwright's synchronous API keeps a loop running in the thread in which the tests look into the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
DEVICES: Final[dict[str, dict[str, object]]] = {
    "laptop": {"viewport": {"width": 1280, "height": 800}},
    "desktop": {"viewport": {"width": 1600, "height": 1000}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
        "is_mobile": True,
        "device_scale_factor": 2,
    },
    "small phone": {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True},
}


PageOf: TypeAlias = "Callable[..., Screen]"


def pytest_configure(config: pytest.Config) -> None:
    """Sets the one deadline of all waits. pytest-base-url, which pytest-playwright brings along, does what pytest warns of."""
    expect.set_options(timeout=DEADLINE_MS)
    config.addinivalue_line("filterwarnings", "ignore:Session-scoped fixtures defined as instance methods")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    program = chromium.find()
    assert program, chromium.ADVICE
    return {**browser_type_launch_args, "executable_path": program, "args": list(FLAGS)}


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest, django_db_blocker: "DjangoDbBlocker") -> Iterator["Site"]:
    from tests.e2e.site import site

    on_daphne = request.config.getoption(runserver.OPTION) == runserver.DAPHNE
    with django_db_blocker.unblock(), site(on_daphne=on_daphne) as started:
        yield started


@pytest.fixture(autouse=True)
def nothing_at_work(site: "Site") -> Iterator[None]:
    """Stops, after each test, the Runs that it left waiting: the machine is shared."""
    from tests.e2e.people import stop_all

    yield
    stop_all()


@pytest.fixture
def alice(site: "Site") -> "Person":
    from tests.e2e.people import somebody

    return somebody("alice")


@pytest.fixture
def bob(site: "Site") -> "Person":
    from tests.e2e.people import somebody

    return somebody("bob")


@pytest.fixture
def mallory(site: "Site") -> "Person":
    from tests.e2e.people import somebody

    return somebody("mallory")


class NewContext(Protocol):
    def __call__(self, **options: object) -> "BrowserContext": ...


@pytest.fixture
def network(site: "Site") -> Iterator["Proxy"]:
    """The network between Alice's laptop and the site."""
    from tests.support.proxy import Proxy

    with Proxy(("127.0.0.1", site.machine.port)) as between:
        yield between


@dataclass
class Browsers:
    """The browsers of one test: one for each person and device, with its own cookies and storage."""

    new_context: NewContext
    site: "Site"
    open: dict[tuple[str, str], tuple["BrowserContext", "Complaints"]] = field(default_factory=dict)

    def tab(
        self, who: "Person | None", device: str = "laptop", *, port: int | None = None, **options: object
    ) -> "Screen":
        """Opens a tab. Tabs of one person on one device share their cookies. `port`: of a proxy in front of the site."""
        from tests.e2e.screen import Screen

        url = f"http://127.0.0.1:{port}" if port else self.site.url
        key = (who.user.username if who else "", device)
        if key not in self.open:
            self.open[key] = self._context(who, url, {**DEVICES[device], **options})
        context, complaints = self.open[key]
        return Screen(context.new_page(), url, complaints)

    def _context(
        self, who: "Person | None", url: str, options: dict[str, object]
    ) -> tuple["BrowserContext", "Complaints"]:
        from tests.e2e.screen import WATCH, Complaints

        context = self.new_context(**options)
        context.set_default_timeout(DEADLINE_MS)
        context.add_init_script(WATCH)
        if who is not None:
            who.signs_in(context, url)
        return context, Complaints(context)

    def complaints(self) -> list[str]:
        return [said for _, complaints in self.open.values() for said in complaints.unexpected()]


@pytest.fixture
def browsers(new_context: NewContext, site: "Site") -> Iterator[Browsers]:
    made = Browsers(new_context, site)
    yield made
    assert made.complaints() == []


@pytest.fixture
def page_of(browsers: Browsers) -> PageOf:
    """`page_of(alice, "laptop")` opens a tab of Alice's; `page_of(None)` one of somebody who is not signed in."""
    return browsers.tab
