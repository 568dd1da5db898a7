"""`manage.py web`: runs one web process, for `up` or for a process manager of your own."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand
from typing_extensions import override

from chatapp import env
from chatapp.launcher import listener, server


class Command(BaseCommand):
    help = "Serves pages, API and WebSockets on HOST and PORT until SIGTERM, then drains."
    requires_system_checks = ()  # they cost time at each restart

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fd", type=int, help="serve on this listening socket, inherited from the process manager")

    @override
    def handle(self, *, fd: int | None, **options: object) -> None:
        if fd is None:  # else `up` has said it
            for sentence in env.misspelt():
                self.stderr.write(sentence)
        server.serve(listener.adopt(fd) if fd is not None else listener.listen(settings.HOST, settings.PORT))
