"""Renders Markdown to HTML, byte for byte as static/js/ui/markdown/tree.js does, so that nothing jumps when a page is reloaded.

The text of a model is not trusted. Its HTML is escaped; links lead to http, https and mailto only; an image becomes a link,
because loading it would show the reader's address to a stranger. nh3 cleans the result once more.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from html import escape
from typing import Final

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

_SCHEME: Final = re.compile(r"(?:https?|mailto):", re.IGNORECASE)
_LANGUAGE: Final = re.compile(r"[ \t]*([A-Za-z0-9_+#.\-]+)")
_REL: Final = "noopener noreferrer nofollow"
_ALLOWED: Final = {
    "a": {"class", "href", "target", "title"},
    "button": {"class", "type"},
    "code": {"class", "translate"},
    "div": {"class", "tabindex"},
    "ol": {"class", "start"},
    "pre": {"tabindex"},
    "span": {"class"},
    "td": {"class"},
    "th": {"class"},
    "ul": {"class"},
}
_TAGS: Final = {
    *_ALLOWED,
    *("blockquote", "br", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li", "p", "s", "strong"),
    *("table", "tbody", "thead", "tr"),
}
_CLEANER: Final = nh3.Cleaner(tags=_TAGS, attributes=_ALLOWED, link_rel=_REL, url_schemes={"http", "https", "mailto"})
LONGEST: Final = 100_000  # characters; a tenth of a second
# Of the parser's look-ahead for the end of a link. A usual text takes less than one for a character; nested brackets take up to
# `maxNesting` for each: 30 KB of `[` took 1.2 s.
STEPS_PER_CHARACTER: Final = 10
STEPS_AT_LEAST: Final = 1_000
_STEPS: Final = "steps"
_BOM: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"  # invisible; a letter to this parser and a space to the browser's
_ALIGNMENT: Final = {"text-align:left": "left", "text-align:center": "center", "text-align:right": "right"}


def render(text: str) -> SafeString:
    """Returns HTML that is safe to put into a page.

    A text that is longer than LONGEST, or that would keep the parser busy for seconds, is shown as it was written. The script of
    the page formats it where it is read (static/js/ui/conversation/agent-message.js).
    """
    if len(text) <= LONGEST:
        with suppress(_TooMuchWork):
            steps = len(text) * STEPS_PER_CHARACTER + STEPS_AT_LEAST
            html = "".join(_blocks(_PARSER.parse(text.replace(_BOM, ""), {_STEPS: steps})))
            return mark_safe(_CLEANER.clean(html))  # noqa: S308  # nh3 made it safe
    return format_html('<div class="unformatted" data-unformatted>{}</div>', text)


class _TooMuchWork(Exception):  # noqa: N818  # ends the parser; nobody sees it
    """The parser goes over the same characters again and again."""


def _is_allowed(url: str) -> bool:
    """Returns whether nh3 keeps the address. It parses addresses by the rules of browsers, as the script does with `URL`."""
    return bool(_SCHEME.match(url)) and "href" in _CLEANER.clean(f'<a href="{escape(url)}"></a>')


_PARSER: Final = MarkdownIt("js-default", {"html": False, "linkify": False, "maxNesting": 100})
_PARSER.validateLink = _is_allowed  # type: ignore[method-assign]  # as its documentation says
_skip_token: Final = _PARSER.inline.skipToken


def _skip_bounded(state: StateInline) -> None:
    """Counts one step of the look-ahead. Raises _TooMuchWork when the text has used up its own."""
    state.env[_STEPS] -= 1
    if state.env[_STEPS] < 0:
        raise _TooMuchWork
    _skip_token(state)


_PARSER.inline.skipToken = _skip_bounded  # type: ignore[method-assign]  # the parser has no limit of its own


def _backslash_before_space(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # markdown-it-py's signature
    """Makes a backslash before a space plain text. markdown-it-py 4.3 also consumes the space, so it misses a hard line break."""
    if state.src[state.pos : state.pos + 2] != "\\ ":
        return False
    if not silent:
        state.push("text_special", "", 0).content = "\\"
    state.pos += 1
    return True


_PARSER.inline.ruler.before("escape", "backslash_before_space", _backslash_before_space)


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    loose = _loose_lists(tokens)
    for index, token in enumerate(tokens):
        if token.type == "inline":
            yield from _inline(token.children or ())
        elif token.type in {"fence", "code_block"}:
            yield _code(token)
        elif token.type == "table_open":
            yield '<div class="table" tabindex="0"><table>'
        elif token.type == "table_close":
            yield "</table></div>"
        elif token.nesting == -1:
            yield f"</{_tag(token)}>"
        else:
            yield f"<{_tag(token)}{_attributes(token, loose=index in loose)}>"


def _loose_lists(tokens: Sequence[Token]) -> set[int]:
    """Returns the indexes of `*_list_open` tokens of loose lists, whose items are set apart.

    Paragraphs are `<p>` in tight lists, too, so an item on the screen does not change when its list becomes loose.
    """
    loose: set[int] = set()
    around: list[int] = []
    for index, token in enumerate(tokens):
        if token.nesting == 1:
            if token.type == "paragraph_open" and not token.hidden and around and tokens[around[-1]].tag == "li":
                loose.add(around[-2])
            around.append(index)
        elif token.nesting == -1:
            around.pop()
    return loose


def _tag(token: Token) -> str:
    """Returns the element's name. Headings go one level down, below the heading of the page."""
    if token.type in {"heading_open", "heading_close"}:
        return f"h{min(int(token.tag[1]) + 1, 6)}"
    return token.tag


def _attributes(token: Token, *, loose: bool) -> str:
    attributes = ""
    if token.type == "ordered_list_open" and "start" in token.attrs:
        attributes += f' start="{token.attrs["start"]}"'
    if loose:
        attributes += ' class="loose"'
    if side := _ALIGNMENT.get(str(token.attrs.get("style"))):
        attributes += f' class="{side}"'
    return attributes


def _code(token: Token) -> str:
    found = _LANGUAGE.match(token.info)
    language = found[1] if found else ""
    kind = f' class="language-{language}"' if language else ""
    return (
        f'<div class="code"><div class="code-bar"><span class="code-language">{language}</span>'
        f'<button class="code-copy" type="button">{escape(gettext("Copy"))}</button></div>'
        f'<pre tabindex="0"><code{kind} translate="no">{escape(token.content)}</code></pre></div>'
    )


def _inline(tokens: Sequence[Token]) -> Iterator[str]:
    links = 0
    for token in tokens:
        if token.type in {"link_open", "link_close"}:
            around = links if token.nesting == 1 else links - 1
            links += token.nesting
            if not around:  # HTML has no link inside a link: the inner one becomes its text
                yield _link(token)
        elif token.type == "image":
            yield _image(token, linked=links > 0)
        else:
            yield _plain(token)


def _plain(token: Token) -> str:
    match token.type:
        case "text" | "text_special":
            return escape(token.content)
        case "softbreak":
            return "\n"
        case "hardbreak":
            return "<br>"
        case "code_inline":
            return f'<code translate="no">{escape(token.content)}</code>'
        case _:
            return f"<{'/' if token.nesting == -1 else ''}{token.tag}>"


def _link(token: Token) -> str:
    if token.nesting == -1:
        return "</a>"
    title = f' title="{escape(str(token.attrs["title"]))}"' if token.attrs.get("title") else ""
    return f'<a href="{escape(str(token.attrs["href"]))}"{title} target="_blank">'


def _image(token: Token, *, linked: bool) -> str:
    """Renders the alternative text, as a link to the image unless it is inside a link already."""
    address = str(token.attrs["src"])
    words = escape("".join(_alternative_text(token.children or ())) or address)
    if linked:
        return words
    return f'<a class="image" href="{escape(address)}" target="_blank">{words}</a>'


def _alternative_text(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "image":
            yield from _alternative_text(token.children or ())
        elif token.type in {"softbreak", "hardbreak"}:
            yield "\n"
        else:
            yield token.content
