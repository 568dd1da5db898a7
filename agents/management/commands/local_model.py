"""`manage.py local_model`: serves the small local model. `manage.py up` starts it when LOCAL_LLM=1."""

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from agents.provider import local


class Command(BaseCommand):
    help = "Serves a small model on this machine, as an OpenAI-compatible endpoint on loopback."
    requires_system_checks = ()

    @override
    def handle(self, **options: object) -> None:
        try:
            local.serve()
        except local.NotInstalled as error:
            raise CommandError(str(error)) from None
