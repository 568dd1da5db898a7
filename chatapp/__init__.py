"""The Django project: settings, addresses, and the Celery application, which every process needs to wake a worker."""

from chatapp.celery import app

__all__ = ["app"]
