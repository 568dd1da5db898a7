"""What the page's templates need beside Django's own tags."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

from chatapp.pages import markdown as rendering
from chatapp.pages.module_preloads import addresses
from chatapp.pages.strings import STRINGS
from sessions_core.protocol.timeline import TextPart

LONG_TEXT = 2_500  # characters of a post
LONG_LINES = 30

register = template.Library()


@register.simple_tag
def icon(name: str, size: int = 18) -> SafeString:
    """An icon that only decorates: what it means is said in words beside it, or in a label."""
    return mark_safe(lucide(name, size=size, stroke_width=1.75, aria_hidden="true", focusable="false"))  # noqa: S308


@register.simple_tag
def say(key: str, **values: str) -> str:
    """A sentence of chatapp/pages/strings.py with its values filled in."""
    return str(STRINGS[key]).format(**values)


@register.filter
def moment(wire: str) -> datetime:
    """The datetime of a wire form."""
    return datetime.fromisoformat(wire)


@register.filter
def markdown(text: str) -> SafeString:
    """The HTML of finished text, the same that the page's script makes of it."""
    return rendering.render(text)


@register.filter
def is_long(parts: Sequence[TextPart]) -> bool:
    """Is what somebody posted so long that it gets a scroll of its own? ui/conversation/user-message.js asks the same."""
    text = "".join(part.text for part in parts)
    return len(text) > LONG_TEXT or text.count("\n") > LONG_LINES


@register.simple_tag
def preload_modules(entry: str) -> SafeString:
    """What the module of that bare name imports, to be fetched at once. It must stand after the import map."""
    return format_html_join("", '<link rel="modulepreload" href="{}">', ((address,) for address in addresses(entry)))


@register.simple_tag
def new_id() -> UUID:
    """A client id for a form, so that sending it twice has one effect."""
    return uuid4()
