"""`{% load page %}`: tags and filters of the pages."""

from datetime import datetime
from uuid import UUID, uuid4

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

from chatapp.pages.layout import is_long
from chatapp.pages.module_preloads import addresses
from chatapp.pages.rendered import rendered_texts
from chatapp.pages.strings import STRINGS

register = template.Library()
register.filter("is_long", is_long)


@register.simple_tag
def icon(name: str, size: int = 18) -> SafeString:
    """Renders a decorative icon. Its meaning has to stand beside it in words, or in a label."""
    return mark_safe(lucide(name, size=size, stroke_width=1.75, aria_hidden="true", focusable="false"))  # noqa: S308


@register.simple_tag
def sentence(key: str, **values: str) -> str:
    """Returns a sentence of chatapp/pages/strings.py with its values filled in."""
    return str(STRINGS[key]).format(**values)


@register.filter
def moment(wire: str) -> datetime:
    """Returns the datetime of the wire's text form, `2026-01-31T12:00:00.123Z`."""
    return datetime.fromisoformat(wire)


@register.filter
def markdown(text: str) -> SafeString:
    """Renders Markdown to the same HTML as the script of the page does."""
    return rendered_texts().get(text)


@register.simple_tag
def preload_modules(entry: str) -> SafeString:
    """Renders a `modulepreload` link for each module that `entry` imports. They must stand after the import map."""
    return format_html_join("", '<link rel="modulepreload" href="{}">', ((address,) for address in addresses(entry)))


@register.simple_tag
def new_id() -> UUID:
    """Returns a client id for a form. A form that is sent twice has one effect."""
    return uuid4()
