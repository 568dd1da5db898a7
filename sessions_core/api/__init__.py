"""The HTTP API (docs/reference/http.md): thin shells around the same acts that the socket calls, with the same refusals."""
