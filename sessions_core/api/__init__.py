"""The HTTP API (docs/reference/http.md): thin shells around the same services as the socket's, with the same refusals.

May import `services` and all below it. A new route goes into the module of its noun, its JSON into `schemas`.

service         the NinjaAPI: routers, parser, renderer
authentication  token or cookie, CSRF, the rate limit of a user
http_methods    HEAD, OPTIONS, 405 and caching headers for every address
refusals        each kind of exception as `{"error": …}`
commands        the idempotency key, and the documented errors of a route
"""
