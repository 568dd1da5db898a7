"""The agents that ship. A file or a folder here that holds an `@agent` is an agent; there is no list to keep.

May import `agents.sdk`, `agents.provider` and `agents.tools`, never the runner or Celery. To add an agent, copy one of the files
and edit it (docs/how-to/write-an-agent.md).
"""
