"""Answers: what a model says is harmless, and hides its reasoning."""

from playwright.sync_api import expect

from tests.e2e.conftest import PageOf
from tests.e2e.people import Person
from tests.e2e.screen import Screen
from tests.support.scripts import script
from tests.support.waiting import until

NASTY = (
    r"<script>window.broken = 1</script> <img src=x onerror=window.broken=1> [a](javascript:window.broken=1) "
    r"![a picture](https://example.com/secret.png)\n\n```html\n<script>window.broken = 2</script>\n```\n"
)


def says(screen: Screen, markdown: str) -> None:
    """Makes the model answer with that; backslashes are escaped as in JSON."""
    screen.send(f'{{"words": 1, "raw": "{markdown}"}}'.replace("\\", "\\\\"))
    expect(screen.answer).to_have_attribute("data-state", "complete")


def test_what_a_model_says_is_never_run_and_loads_nothing(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session(agent="assistant"))
    asked: list[str] = []
    laptop.page.on("request", lambda request: asked.append(request.url))

    says(laptop, NASTY)
    laptop.reload().live()

    assert laptop.page.evaluate("window.broken") is None
    expect(laptop.text.locator("script, img, [onerror], [href^=javascript]")).to_have_count(0)
    expect(laptop.text.get_by_role("link", name="a picture")).to_have_attribute("rel", "noopener noreferrer nofollow")
    assert [url for url in asked if not url.startswith((laptop.url, laptop.url.replace("http", "ws")))] == []


def test_a_script_that_got_in_all_the_same_is_refused(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session())
    laptop.complaints.expect("Content Security Policy")

    laptop.page.evaluate(
        """() => {
          document.body.append(Object.assign(document.createElement("script"), { textContent: "window.broken = 1" }));
          document.body.insertAdjacentHTML("beforeend", "<img src='data:,' onerror='window.broken = 2'>");
        }"""
    )

    until(lambda: laptop.complaints.count("Content Security Policy") == 2)
    assert laptop.page.evaluate("window.broken") is None


def test_reasoning_is_folded_away(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session())
    laptop.send(script(words=5, reason=7, every_ms=5)).see_words(5)
    reasoning = laptop.answer.locator("[data-part=reasoning]")
    expect(reasoning.get_by_text("r1 r2 r3 r4 r5 r6 r7")).to_be_hidden()

    reasoning.get_by_text("Reasoning").click()
    expect(reasoning.get_by_text("r1 r2 r3 r4 r5 r6 r7")).to_be_visible()
    laptop.reload().live()
    expect(reasoning.get_by_text("r1 r2 r3 r4 r5 r6 r7")).to_have_count(1)


def test_a_text_that_the_server_sends_as_it_was_written_is_formatted_here(page_of: PageOf, alice: Person) -> None:
    laptop = page_of(alice).open(alice.session(agent="assistant"))
    says(laptop, "**bold** " + "[" * 5_000)

    laptop.reload()
    assert "data-unformatted" in laptop.page.request.get(laptop.page.url).text()
    laptop.live()

    expect(laptop.text.locator("strong")).to_have_text("bold")
    expect(laptop.page.locator("[data-unformatted]")).to_have_count(0)
