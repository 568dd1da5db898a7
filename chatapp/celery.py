"""The Celery application: it wakes workers, the database owns the Runs. `celery -A chatapp worker -P threads`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")  # a worker has no pages; the checks would import all of them

app = Celery("chatapp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()  # agents/tasks.py
app.set_default()  # also where a worker is started inside another process: else its tasks vanish
