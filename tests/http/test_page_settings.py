import re
from uuid import uuid4

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from sessions_core.models import ApiToken
from sessions_core.protocol.ids import DeviceId, UserId
from sessions_core.services import devices, tokens


def test_a_token_is_shown_once_and_works(reader: Client, alice: User) -> None:
    page = reader.post(reverse("settings"), {"label": "backup", "can_write": "on"}).content.decode()

    secret = re.search(r'<code id="secret"[^>]*>([^<]+)</code>', page)
    assert secret
    found = tokens.find(secret[1])
    assert found is not None
    assert (found.user, found.name, found.can_write) == (alice.pk, "Alice", True)
    assert secret[1] not in reader.get(reverse("settings")).content.decode()


def test_a_token_that_only_reads(reader: Client) -> None:
    reader.post(reverse("settings"), {"label": ""})

    assert not ApiToken.objects.get().can_write


def test_a_label_that_cannot_be_makes_no_token(reader: Client) -> None:
    page = reader.post(reverse("settings"), {"label": "x" * 101})

    assert "at most 100 characters" in page.content.decode()
    assert not ApiToken.objects.exists()


def test_a_revoked_token_is_gone_at_once(reader: Client, alice: User) -> None:
    secret = tokens.issue(alice, label="old laptop")

    reader.post(reverse("revoke_token", args=[ApiToken.objects.get().pk]))

    assert tokens.find(secret) is None
    assert "old laptop" not in reader.get(reverse("settings")).content.decode()


def test_somebody_elses_token_is_as_if_absent(reader: Client, mallory: User) -> None:
    secret = tokens.issue(mallory, label="Mallory's")

    assert reader.post(reverse("revoke_token", args=[ApiToken.objects.get().pk])).status_code == 404
    assert tokens.find(secret)
    assert "Mallory" not in reader.get(reverse("settings")).content.decode()


def test_devices_are_listed(reader: Client, alice: User, mallory: User) -> None:
    devices.mark_seen(UserId(alice.pk), DeviceId(uuid4()), label="Firefox on Linux")
    devices.mark_seen(UserId(mallory.pk), DeviceId(uuid4()), label="Safari on iPhone")

    page = reader.get(reverse("settings")).content.decode()

    assert "Firefox on Linux" in page
    assert "Safari on iPhone" not in page
