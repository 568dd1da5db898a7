"""Finished messages as HTML, byte for byte what the browser makes of the same Markdown (static/js/ui/markdown/tree.js).

So nothing jumps when a page is loaded again. What a model wrote is not trusted: no HTML of its own, links to http, https and
mailto only, images as links, since fetching one would tell its address to a stranger. nh3 goes over the result once more.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

import nh3
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
    "code": {"class"},
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
_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"  # a letter to this parser and a space to the browser's; nobody sees it
_COLUMN: Final = {"text-align:left": "left", "text-align:center": "center", "text-align:right": "right"}


def render(text: str) -> SafeString:
    """The text's HTML. It is safe to put into a page."""
    html = "".join(_blocks(_PARSER.parse(text.replace(_MARK, ""))))
    return mark_safe(_CLEANER.clean(html))  # noqa: S308  # this is where it is made safe


def _is_allowed(url: str) -> bool:
    """nh3 reads addresses by the browsers' rules and drops what does not parse: so it is asked, as the browser asks URL."""
    return bool(_SCHEME.match(url)) and "href" in _CLEANER.clean(f'<a href="{escape(url)}"></a>')


_PARSER: Final = MarkdownIt("js-default", {"html": False, "linkify": False, "maxNesting": 100})
_PARSER.validateLink = _is_allowed  # type: ignore[method-assign]  # the documented way to change it


def _backslash_before_space(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # markdown-it-py's signature
    """Two spaces that end a line break it also behind a backslash, which markdown-it-py 4.3 would take with the first space."""
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
    """Where lists open whose items stand apart. Their paragraphs are `<p>` like those of tight ones, so that an item which is
    on the screen stays as it is when the list becomes loose.
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
    """The element's name; headings one level down, since the page has its own."""
    if token.type in {"heading_open", "heading_close"}:
        return f"h{min(int(token.tag[1]) + 1, 6)}"
    return token.tag


def _attributes(token: Token, *, loose: bool) -> str:
    kept = ""
    if token.type == "ordered_list_open" and "start" in token.attrs:
        kept += f' start="{token.attrs["start"]}"'
    if loose:
        kept += ' class="loose"'
    if side := _COLUMN.get(str(token.attrs.get("style"))):
        kept += f' class="{side}"'
    return kept


def _code(token: Token) -> str:
    said = _LANGUAGE.match(token.info)
    language = said[1] if said else ""
    kind = f' class="language-{language}"' if language else ""
    return (
        f'<div class="code"><div class="code-bar"><span class="code-language">{language}</span>'
        f'<button class="code-copy" type="button">{escape(gettext("Copy"))}</button></div>'
        f'<pre tabindex="0"><code{kind}>{escape(token.content)}</code></pre></div>'
    )


def _inline(tokens: Sequence[Token]) -> Iterator[str]:
    links = 0
    for token in tokens:
        if token.type in {"link_open", "link_close"}:
            around = links if token.nesting == 1 else links - 1
            links += token.nesting
            if not around:  # HTML knows no link in a link: the inner one is its text
                yield _link(token)
        elif token.type == "image":
            yield _image(token, linked=links > 0)
        else:
            yield _mark(token)


def _mark(token: Token) -> str:
    match token.type:
        case "text" | "text_special":
            return escape(token.content)
        case "softbreak":
            return "\n"
        case "hardbreak":
            return "<br>"
        case "code_inline":
            return f"<code>{escape(token.content)}</code>"
        case _:
            return f"<{'/' if token.nesting == -1 else ''}{token.tag}>"


def _link(token: Token) -> str:
    if token.nesting == -1:
        return "</a>"
    title = f' title="{escape(str(token.attrs["title"]))}"' if token.attrs.get("title") else ""
    return f'<a href="{escape(str(token.attrs["href"]))}"{title} target="_blank">'


def _image(token: Token, *, linked: bool) -> str:
    """The image's words, as a link to it unless a link is around it already."""
    address = str(token.attrs["src"])
    words = escape("".join(_words(token.children or ())) or address)
    if linked:
        return words
    return f'<a class="image" href="{escape(address)}" target="_blank">{words}</a>'


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "image":
            yield from _words(token.children or ())
        elif token.type in {"softbreak", "hardbreak"}:
            yield "\n"
        else:
            yield token.content
