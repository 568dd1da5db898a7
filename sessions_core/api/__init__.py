"""The HTTP API (docs/http.md): thin shells around the same acts that the socket calls, with the same refusals."""
