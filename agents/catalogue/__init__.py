"""The agents. Each file or folder here that holds an `@agent` is one; there is no list to keep.

May import `agents.sdk`, `agents.provider`, `agents.tools` and, for database work, `sessions_core.bridge`; never the runner or
Celery. To add an agent, copy one of the files and edit it (docs/how-to/write-an-agent.md).
"""
