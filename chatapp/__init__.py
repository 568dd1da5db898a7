"""The Django project: settings, URLs, the pages, and the launcher that runs everything on one machine.

May import every other package. Add a setting in `settings` and in docs/reference/settings.md, a page in `pages/`.
The Celery application is imported here because every process needs it to wake a worker.
"""

from chatapp.celery import app

__all__ = ["app"]
