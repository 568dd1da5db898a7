"""The server's Markdown: the browser's HTML byte for byte, and nothing in it that could run or tell."""

import json
import re
import subprocess
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatapp.pages.assets import LANGUAGES
from chatapp.pages.markdown import render
from tests.support.random_input import many

ROOT = Path(__file__).parents[2]
FIXTURES: list[dict[str, str]] = json.loads((ROOT / "tests/fixtures/markdown/hard.json").read_bytes())
NODE_S = 50


def node(*arguments: str, said: object = None) -> list[str]:
    answer = subprocess.run(
        ["node", "tests/js/render_many.js", *arguments],
        input=msgspec.json.encode(said),
        cwd=ROOT,
        capture_output=True,
        timeout=NODE_S,
        check=True,
    )
    return msgspec.json.decode(answer.stdout, type=list[str])


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture["text"][:20])
def test_renders_the_fixture_as_the_browser_does(fixture: dict[str, str]) -> None:
    assert render(fixture["text"]) == fixture["html"]


@pytest.mark.hypothesis
def test_renders_random_texts_as_the_browser_does() -> None:
    pieces = st.sampled_from(node("pieces"))
    texts: list[str] = []

    @given(st.lists(pieces, min_size=1, max_size=25).map("".join))
    @settings(max_examples=many(800), deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    browser = node(said=texts)

    assert [(text, html) for text, html in zip(texts, browser, strict=True) if render(text) != html] == []


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "JAVASCRIPT:x", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "/x", "//x.y"],
)
def test_an_address_that_is_not_for_following_makes_no_link(address: str) -> None:
    html = render(f"[a]({address}) <{address}> ![i]({address})\n\n[a]: {address}\n\n[a]")

    assert "<a" not in html
    assert "<img" not in html


def test_html_is_text() -> None:
    html = render("<script>alert(1)</script> <b onclick=x>\n\n<div>\n\n```\n</code><script>\n```\n")

    assert "<script" not in html
    assert "<b " not in html
    assert "onclick=x" not in html.replace("&lt;b onclick=x&gt;", "")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_a_link_opens_elsewhere_and_tells_nobody() -> None:
    html = render("[a](https://x.y)")

    assert html == '<p><a href="https://x.y" target="_blank" rel="noopener noreferrer nofollow">a</a></p>'


def test_deep_nesting_and_long_lines_are_no_trouble() -> None:
    for text in (
        ">" * 5_000,
        "- " * 5_000,
        "[" * 20_000,
        "*a " * 20_000,
        "|a" * 5_000 + "\n" + "|-" * 5_000,
        "`" * 20_000,
    ):
        render(text)


def test_the_browser_loads_the_languages_that_are_served() -> None:
    script = (ROOT / "static/js/ui/markdown/highlight.js").read_text()
    names = re.search(r"LANGUAGES = new Set\(\s*\(\s*(.*?)\)\.split", script, re.DOTALL)

    assert names is not None
    assert tuple("".join(re.findall(r'"(.*?)"', names[1])).split()) == LANGUAGES
