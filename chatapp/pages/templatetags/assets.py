"""`{% load assets %}`: tags for the style sheets and the import map of a page."""

import json

from django import template
from django.template.context import RequestContext
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from chatapp.pages import assets

register = template.Library()


@register.simple_tag
def style_sheets() -> SafeString:
    """Renders a `<link>` for every style sheet."""
    return format_html_join("", '<link rel="stylesheet" href="{}">', ((address,) for address in assets.style_sheets()))


@register.simple_tag(takes_context=True)
def import_map(context: RequestContext) -> SafeString:
    """Renders the `<script type="importmap">` with the request's nonce. It must stand before the first module script."""
    imports = json.dumps({"imports": assets.import_map()}, separators=(",", ":")).replace("<", "\\u003c")
    nonce = getattr(context.get("request"), "csp_nonce", "")
    # Safe: JSON of our own file names, with `<` escaped.
    return format_html('<script type="importmap" nonce="{}">{}</script>', nonce, mark_safe(imports))  # noqa: S308
