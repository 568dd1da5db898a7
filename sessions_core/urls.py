"""The URLs of the core: the HTTP API with its documentation, and health."""

from django.urls import include, path, re_path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from sessions_core.api import http_methods
from sessions_core.api.service import api
from sessions_core.process import health

_routes, _app, _namespace = api.urls

urlpatterns = [
    path("health/live", require_safe(health.live), name="health-live"),
    path("health/ready", require_safe(health.ready), name="health-ready"),
    path("health/work", require_safe(health.work), name="health-work"),
    path("api/", RedirectView.as_view(pattern_name="api:openapi-view"), name="api-home"),
    path("api/", include((http_methods.wrap_all(_routes), _app), namespace=_namespace)),
    re_path(r"^api(?:/[\s\S]*)?$", http_methods.wrap(http_methods.not_found)),
]
