"""The engine's addresses: the API and its documentation, and health."""

from django.urls import include, path, re_path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from sessions_core.api.http_methods import edge, edged, unknown
from sessions_core.api.service import api
from sessions_core.process import health

_routes, _app, _namespace = api.urls

urlpatterns = [
    path("health/live", require_safe(health.live), name="health-live"),
    path("health/ready", require_safe(health.ready), name="health-ready"),
    path("api/", RedirectView.as_view(pattern_name="api:openapi-view"), name="api-home"),
    path("api/", include((edged(_routes), _app), namespace=_namespace)),
    re_path(r"^api(?:/[\s\S]*)?$", edge(unknown)),
]
