"""`manage.py issue_token alice`: prints a Bearer token for scripts, and nothing else, to stdout."""

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from typing_extensions import override

from sessions_core.services import tokens


class Command(BaseCommand):
    requires_system_checks = ()  # a faulty agent must not keep anybody from it
    help = "Makes a bearer token for a user and prints it, once: only its hash is kept."

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--create", action="store_true", help="make the user if there is none of that name")
        parser.add_argument("--label", default="", help="what it is for, shown in lists")
        parser.add_argument("--read-only", action="store_true", help="the token may read, but not write")

    @override
    def handle(self, *, username: str, create: bool, label: str, read_only: bool, **options: object) -> None:
        user = self._user(username, create=create)
        if not user.is_active:
            raise CommandError(f"The user {username} is switched off, so a token would not work.")
        self.stdout.write(tokens.issue(user, label=label, can_write=not read_only))

    def _user(self, username: str, *, create: bool) -> User:
        found = User.objects.filter(username=username).first() if username.isprintable() else None
        if found is not None:
            return found
        if not create:
            raise CommandError(f"There is no user {username!r}. Add --create to make one.")
        no_password = make_password(None)
        try:
            User(username=username, password=no_password).full_clean()
        except ValidationError as error:
            raise CommandError(f"{username!r} cannot be a user's name: {' '.join(error.messages)}") from error
        created, _ = User.objects.get_or_create(username=username, defaults={"password": no_password})
        self.stderr.write(f"Made the user {username}; there is no password yet (manage.py changepassword {username}).")
        return created
