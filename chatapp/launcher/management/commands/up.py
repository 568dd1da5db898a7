"""`manage.py up`: runs everything on this machine for as long as the command runs."""

from django.core.management.base import BaseCommand
from typing_extensions import override

from chatapp.launcher.supervisor import lifecycle


class Command(BaseCommand):
    help = "Starts PostgreSQL, Valkey, the web server and a worker, and stops them with itself."
    requires_system_checks = ()

    @override
    def handle(self, **options: object) -> None:
        raise SystemExit(lifecycle.run())
