"""The durable sessions: their log, Runs, live delivery, WebSocket, HTTP API and admin. The rooms and their order: pyproject.toml.

Imports only go down, from `urls` and `consumers` to `protocol`; Celery, `agents` and `chatapp` are unknown here.
"""
