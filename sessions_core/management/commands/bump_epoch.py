"""`manage.py bump_epoch`: run after a restore, so that no client resumes at a cursor of the lost log."""

from django.core.management.base import BaseCommand
from typing_extensions import override

from sessions_core import log


class Command(BaseCommand):
    requires_system_checks = ()  # a faulty agent must not keep anybody from it
    help = (
        "Gives every Session's log a new epoch. Run it once after the database was restored from a backup, before the web "
        "processes start: clients then forget what they had and read anew."
    )

    @override
    def handle(self, *args: object, **options: object) -> None:
        count = log.bump_epoch()
        self.stdout.write(f"{count} logs have a new epoch; clients will read them anew.")
