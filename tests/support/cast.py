"""The people of the tests, with one meaning each: Alice owns, Bob takes part, Mallory is a stranger."""

from typing import Final

from django.contrib.auth.models import User

PASSWORD: Final = "correct horse battery"


def person(name: str) -> User:
    """Creates a user of that name who can sign in with PASSWORD."""
    return User.objects.create_user(name, password=PASSWORD, first_name=name.title())
