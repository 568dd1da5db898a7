"""The Celery application: `celery -A chatapp worker -P threads`. It only wakes workers; the database owns the Runs."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")  # the checks would import all pages, which a worker does not need

app = Celery("chatapp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()  # agents/tasks.py
app.set_default()  # without it, a worker inside another process does not find its tasks
