"""A text is rendered once, what is kept is bounded in bytes, and no text can keep the parser busy for long."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import override

from chatapp.pages import markdown
from chatapp.pages.rendered import RenderedTexts


class Renderer:
    """Counts what it renders, and whether two texts are rendered at once."""

    def __init__(self) -> None:
        self.rendered: list[str] = []
        self.at_once = False
        self._busy = threading.Lock()

    def __call__(self, text: str) -> SafeString:
        self.at_once |= not self._busy.acquire(blocking=False)
        self.rendered.append(text)
        self._busy.release()
        return mark_safe(f"<p>{text}</p>")


def test_many_views_of_a_text_render_it_once() -> None:
    renderer = Renderer()
    texts = RenderedTexts(10_000, renderer)

    with ThreadPoolExecutor(20) as threads:
        pages = list(threads.map(texts.get, ["a", "b"] * 50))

    assert pages == ["<p>a</p>", "<p>b</p>"] * 50
    assert sorted(renderer.rendered) == ["a", "b"]
    assert not renderer.at_once


def test_each_language_has_its_own_words() -> None:
    renderer = Renderer()
    texts = RenderedTexts(10_000, renderer)
    for language in ("en", "de", "en"):
        with override(language):
            texts.get("a")

    assert renderer.rendered == ["a", "a"]


def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    renderer = Renderer()
    texts = RenderedTexts(5_000, renderer)
    for text in ("first", *(str(n) for n in range(100)), "first", "first"):
        texts.get(text)
        assert texts.bytes <= 5_000
    texts.get("x" * 10_000)

    assert renderer.rendered.count("first") == 2
    assert texts.bytes <= 5_000


@pytest.mark.parametrize("hostile", ["[", "![", "*[", "[`", "[a][", "![[", "[a](b)["])
def test_brackets_without_end_are_shown_as_they_were_written(hostile: str) -> None:
    text = (hostile * 30_000)[:30_000]

    assert markdown.render(text) == f'<div class="unformatted" data-unformatted>{text}</div>'


def test_a_text_that_is_not_formatted_is_escaped() -> None:
    html = markdown.render("<script>alert(1)</script> " + "[" * 5_000)

    assert html.startswith('<div class="unformatted" data-unformatted>&lt;script&gt;')


def test_a_very_long_text_is_shown_as_it_was_written() -> None:
    text = "# A heading\n" * (markdown.LONGEST // 10)

    assert markdown.render(text) == f'<div class="unformatted" data-unformatted>{text}</div>'


@pytest.mark.parametrize(
    "text",
    ["[a](https://x.y) " * 2_000, "[[[[a]]]](https://x.y) " * 1_000, "[![a](https://x.y)](https://x.y) " * 1_000],
)
def test_many_usual_links_are_formatted(text: str) -> None:
    assert "data-unformatted" not in markdown.render(text)
