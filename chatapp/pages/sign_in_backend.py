"""Checks passwords as Django does, after counting the try. It is the one place through which each sign-in by password goes, the
admin's too.
"""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest
from typing_extensions import override

from chatapp.pages import throttle


class ThrottledBackend(ModelBackend):
    @override
    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **fields: Any
    ) -> User | None:
        """Returns the user of name and password. Raises RateLimited before the password is hashed."""
        if request is None or username is None:  # called by a program, not for a person who signs in
            return super().authenticate(request, username, password, **fields)
        tries = throttle.sign_in(request, username)
        throttle.take(*tries)
        user = super().authenticate(request, username, password, **fields)
        if user is not None:
            throttle.give_back(*tries)
        return user
