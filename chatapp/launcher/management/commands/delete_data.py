"""`manage.py delete_data`: deletes the data of `up`. `make clean DATA=1` calls it."""

import shutil

from django.conf import settings
from django.core.management.base import BaseCommand
from typing_extensions import override

from chatapp.launcher.embedded import data_dirs
from chatapp.launcher.supervisor.lock import locked


class Command(BaseCommand):
    help = "Deletes everything that `up` kept on this machine: conversations, accounts, keys. Refuses while `up` runs."
    requires_system_checks = ()

    @override
    def handle(self, **options: object) -> None:
        with locked(settings.VAR_DIR):
            data_dirs.delete(settings.VAR_DIR)
            shutil.rmtree(settings.VAR_DIR)
        self.stdout.write(f"Deleted {settings.VAR_DIR}.")
