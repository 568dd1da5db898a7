"""`{% load page %}`: tags and filters of the pages."""

from datetime import datetime
from uuid import UUID, uuid4

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

from chatapp.pages import ask_view, tool_call
from chatapp.pages.layout import Item, is_long
from chatapp.pages.module_preloads import addresses
from chatapp.pages.rendered import rendered_texts
from chatapp.pages.wording import sentence
from sessions_core.protocol.timeline_types import Ask, Message, ToolCall

register = template.Library()
register.filter("is_long", is_long)
register.filter("call_state", tool_call.state)
register.filter("call_state_text", tool_call.state_text)
register.filter("call_output", tool_call.output_text)
register.filter("json_text", tool_call.json_text)
register.simple_tag(sentence)
register.simple_tag(ask_view.outcome, name="ask_outcome")
register.simple_tag(ask_view.why_not, name="ask_why_not")
register.simple_tag(ask_view.rows, name="ask_rows")


@register.simple_tag
def icon(name: str, size: int = 18) -> SafeString:
    """Renders a decorative icon. Its meaning has to stand beside it in words, or in a label."""
    return mark_safe(lucide(name, size=size, stroke_width=1.75, aria_hidden="true", focusable="false"))  # noqa: S308


@register.filter
def moment(wire: str) -> datetime:
    """Returns the datetime of the wire's text form, `2026-01-31T12:00:00.123Z`."""
    return datetime.fromisoformat(wire)


@register.simple_tag
def future_time(wire: str) -> SafeString:
    """Renders a time that is still to come, with its day unless that is today."""
    at = timezone.localtime(moment(wire))
    text = date_format(at, "TIME_FORMAT" if at.date() == timezone.localdate() else "SHORT_DATETIME_FORMAT")
    return format_html('<time datetime="{}">{}</time>', wire, text)


@register.simple_tag
def kind_of(item: Item) -> str:
    """Returns which template shows the item of an Answer."""
    match item:
        case Message():
            return "message"
        case ToolCall():
            return "call"
        case Ask():
            return "ask"


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
