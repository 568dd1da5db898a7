"""`{% load assets %}`: the import map of the page."""

import json

from django import template
from django.template.context import RequestContext
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from chatapp.pages.assets import import_map as addresses

register = template.Library()


@register.simple_tag(takes_context=True)
def import_map(context: RequestContext) -> SafeString:
    """The `<script type="importmap">` with the request's nonce. It must stand before the first module script."""
    imports = json.dumps({"imports": addresses()}, separators=(",", ":")).replace("<", "\\u003c")
    nonce = getattr(context.get("request"), "csp_nonce", "")
    # Our own file names as JSON, with no way to close the element.
    return format_html('<script type="importmap" nonce="{}">{}</script>', nonce, mark_safe(imports))  # noqa: S308
