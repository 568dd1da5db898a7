"""Renders each text once: a message that is complete never changes. Texts are rendered one at a time, because rendering keeps the
interpreter busy, and the requests and sockets of others need it, too.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from threading import Lock
from typing import Final

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from chatapp.pages import markdown

_ENTRY_BYTES: Final = 300  # of one entry besides its HTML
_Key = tuple[str | None, bytes]


class RenderedTexts:
    """HTML by text and language, in at most `limit` bytes: what was not asked for the longest is forgotten first."""

    def __init__(self, limit: int, render: Callable[[str], SafeString] = markdown.render) -> None:
        self.bytes = 0
        self._limit = limit
        self._render = render
        self._kept: OrderedDict[_Key, SafeString] = OrderedDict()
        self._keeping = Lock()
        self._rendering = Lock()

    def get(self, text: str) -> SafeString:
        """Returns the HTML of the text. Waits while another text is rendered."""
        key = (get_language(), sha256(text.encode("utf-8", "surrogatepass")).digest())
        html = self._find(key)
        if html is None:
            with self._rendering:
                html = self._find(key)  # another request may have rendered it meanwhile
                if html is None:
                    html = self._render(text)
                    self._keep(key, html)
        return html

    def _find(self, key: _Key) -> SafeString | None:
        with self._keeping:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, key: _Key, html: SafeString) -> None:
        with self._keeping:
            self._kept[key] = html
            self.bytes += _size(html)
            while self.bytes > self._limit:
                _, forgotten = self._kept.popitem(last=False)
                self.bytes -= _size(forgotten)


def _size(html: SafeString) -> int:
    return sys.getsizeof(html) + _ENTRY_BYTES


@cache
def rendered_texts() -> RenderedTexts:
    """Returns those of this process."""
    return RenderedTexts(settings.RENDERED_LIMIT)
