#!/usr/bin/env python
"""Django's command line; `manage.py up` starts everything."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
    try:
        execute_from_command_line(sys.argv)
    except (
        ImproperlyConfigured
    ) as refused:  # a setting that cannot be used: its sentence says all, a traceback hides it
        sys.exit(f"Settings: {refused}")
    except OperationalError as down:
        if "couldn't get a connection" not in str(down):
            raise
        sys.exit(f"The database does not answer. Is `make run` running, or DATABASE_URL right? ({down})")
