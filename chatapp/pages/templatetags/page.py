"""What the page's templates need beside Django's own tags."""

from datetime import datetime
from uuid import UUID, uuid4

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

from chatapp.pages import markdown as rendering
from chatapp.pages.layout import is_long
from chatapp.pages.module_preloads import addresses
from chatapp.pages.strings import STRINGS

register = template.Library()
register.filter("is_long", is_long)


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


@register.simple_tag
def preload_modules(entry: str) -> SafeString:
    """What the module of that bare name imports, to be fetched at once. It must stand after the import map."""
    return format_html_join("", '<link rel="modulepreload" href="{}">', ((address,) for address in addresses(entry)))


@register.simple_tag
def new_id() -> UUID:
    """A client id for a form, so that sending it twice has one effect."""
    return uuid4()
