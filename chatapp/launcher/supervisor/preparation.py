"""Work before the web server starts: tables, static files, and the user `demo` to sign in as."""

import hashlib
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connections, transaction
from django.db.backends.postgresql.base import DatabaseWrapper

from chatapp.pages import sign_in_links

DEMO: Final = "demo"


def prepare() -> str:
    """Does all of it, and returns the path of a sign-in link for the user `demo`, good for one use."""
    try:
        call_command("migrate", interactive=False, verbosity=0)
        collect_static()
        return sign_in_links.make(_demo())
    finally:
        _close_pools()


def collect_static() -> bool:
    """Runs `collectstatic` if a static file changed since the last time. Returns whether it did."""
    stamp = settings.VAR_DIR / "static.stamp"
    fingerprint = _fingerprint()
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    if stamp.exists() and stamp.read_text() == fingerprint and manifest.exists():
        return False
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(fingerprint)
    return True


def _fingerprint() -> str:
    """Returns a digest that changes when a static file is added, removed or written."""
    digest = hashlib.sha256(str(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in finder.list(["CVS", ".*", "*~"]):
            found = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@transaction.atomic
def _demo() -> User:
    """Returns the operator of this machine: may use the admin, has no password, and signs in by link."""
    user, created = User.objects.get_or_create(
        username=DEMO, defaults={"first_name": "Demo", "is_staff": True, "is_superuser": True}
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def _close_pools() -> None:
    """Closes the connections of this process. The threads of a pool would keep them for as long as `up` runs."""
    for connection in connections.all():
        connection.close()
        if isinstance(connection, DatabaseWrapper):
            connection.close_pool()
