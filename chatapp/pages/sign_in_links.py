"""One-time sign-in links. A link signs in as its user, once, within PASSWORD_RESET_TIMEOUT.

The token covers the time of the user's last sign-in, so any sign-in invalidates every earlier link.
"""

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse
from django.utils.http import base36_to_int, int_to_base36
from typing_extensions import override


class _Tokens(PasswordResetTokenGenerator):
    key_salt = "chatapp.pages.sign_in_links"

    @override
    def _make_hash_value(self, user: AbstractBaseUser, timestamp: int) -> str:
        # A new password or a sign-in invalidates a link. Microseconds count: two sign-ins may happen within one second.
        return f"{user.pk}{user.password}{user.last_login and user.last_login.isoformat()}{timestamp}{user.is_active}"


_tokens = _Tokens()


def make(user: User) -> str:
    """Returns the path of a link that signs in as the user, once."""
    return reverse("sign_in_link", args=[f"{int_to_base36(user.pk)}.{_tokens.make_token(user)}"])


def find(token: str, *, lock: bool = False) -> User | None:
    """Returns the user of a valid link, or None. For a sign-in, lock the user's row until it is committed, in a transaction."""
    key, _, secret = token.partition(".")
    try:
        pk = base36_to_int(key)
    except ValueError:
        return None
    users = User.objects.select_for_update() if lock else User.objects.all()
    user = users.filter(pk=pk, is_active=True).first()
    return user if user is not None and _tokens.check_token(user, secret) else None


def days() -> int:
    """Returns for how many days a link is good."""
    return settings.PASSWORD_RESET_TIMEOUT // 86_400
