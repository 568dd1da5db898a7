#!/usr/bin/env python
"""Django's command line. `manage.py up` starts everything."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Settings: {error}")  # a traceback would hide the sentence
    except OperationalError as error:
        if "couldn't get a connection" not in str(error):
            raise
        sys.exit(f"The database does not answer. Is `make run` running, or DATABASE_URL right? ({error})")
