"""Agents: how they are written (`sdk`), those that ship (`catalogue`), what they use (`provider`, `tools`) and what executes
their Runs (`runner`, woken by Celery through `tasks` and `dispatcher`).

May import `sessions_core`, never `chatapp`. Imports nothing by itself, so that `agents.sdk` needs no Django. A new agent is a
file or a folder in `catalogue`.
"""
