"""`python -m tests.support.migrations`, a part of `make check`: the migrations say what the models say.

No database is asked: `makemigrations --check` alone would wait for one to compare its history.
"""

import os

import django
from django.conf import settings
from django.core.management import call_command


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
    settings.DATABASES["default"] = {"ENGINE": "django.db.backends.dummy"}
    django.setup()
    call_command("makemigrations", check_changes=True, dry_run=True)


if __name__ == "__main__":
    main()
