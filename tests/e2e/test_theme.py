"""Light, dark, or as the system has it."""

from playwright.sync_api import expect

from tests.e2e.conftest import PageOf
from tests.e2e.people import Person
from tests.e2e.screen import Screen
from tests.support.waiting import until


def brightness(screen: Screen) -> int:
    """Returns the brightness of the page's background, from 0 to 765."""
    return int(
        screen.page.evaluate(
            """() => {
              const canvas = new OffscreenCanvas(1, 1).getContext("2d");
              canvas.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
              canvas.fillRect(0, 0, 1, 1);
              const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
              return red + green + blue;
            }"""
        )
    )


def see_dark(screen: Screen) -> None:
    until(lambda: brightness(screen) < 200)


def see_light(screen: Screen) -> None:
    until(lambda: brightness(screen) > 600)


def test_the_page_is_as_the_system_is_until_somebody_chooses(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice, color_scheme="dark").open(alice.session())
    see_dark(laptop)
    laptop.page.emulate_media(color_scheme="light")
    see_light(laptop)

    laptop.page.locator(".account").click()
    laptop.click("Dark")
    see_dark(laptop)
    expect(laptop.page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")

    laptop.reload()
    see_dark(laptop)
    laptop.go("/")
    see_dark(laptop)
    laptop.page.locator(".account").click()
    laptop.click("As the system")
    see_light(laptop)
