"""Pruning: what nobody needs any more goes, in pieces; what somebody may need stays."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session as Login
from django.db import transaction

from sessions_core.models import ApiToken, Device, Event, Participant, Run, Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.clock import now
from sessions_core.protocol.ids import DeviceId, SessionId, UserId
from sessions_core.services import deletion, devices, sessions, tokens
from sessions_core.services.pruning import Pruning
from tests.db.acts import concurrently, post_message

pytestmark = pytest.mark.django_db(transaction=True)


def device(user: User, **seen: Any) -> Device:  # noqa: ANN401  # columns
    return Device.objects.create(user=user, key=uuid4(), **seen)


def remove_deleted() -> None:
    while deletion.remove_piece():
        pass


def test_a_device_goes_that_was_not_seen_for_half_a_year(alice: User) -> None:
    device(alice, last_seen_at=now() - timedelta(days=181))
    kept = device(alice, last_seen_at=now() - timedelta(days=179))

    Pruning().prune()

    assert list(Device.objects.all()) == [kept]


def test_a_user_has_so_many_devices_and_the_newest_stay(alice: User) -> None:
    oldest = device(alice, last_seen_at=now() - timedelta(days=1))
    Device.objects.bulk_create(Device(user=alice, key=uuid4()) for _ in range(devices.DEVICES_PER_USER - 1))
    new = DeviceId(uuid4())

    devices.mark_seen(UserId(alice.pk), new, label="new")

    assert Device.objects.count() == devices.DEVICES_PER_USER
    assert not Device.objects.filter(pk=oldest.pk).exists()
    assert Device.objects.filter(key=new).exists()


def test_devices_that_others_are_forgetting_are_not_waited_for(alice: User) -> None:
    oldest = [device(alice, last_seen_at=now() - timedelta(days=n)) for n in (200, 190)]
    Device.objects.bulk_create(Device(user=alice, key=uuid4()) for _ in range(devices.DEVICES_PER_USER))

    with transaction.atomic(durable=True):
        Device.objects.select_for_update().get(pk=oldest[1].pk)
        results = concurrently(
            lambda: devices.mark_seen(UserId(alice.pk), DeviceId(uuid4()), label="new"), Pruning().prune
        )  # returns: neither waits for the row

    assert results == [None, None]
    assert list(Device.objects.filter(pk__in=[each.pk for each in oldest])) == [oldest[1]]


def test_a_revoked_token_is_kept_for_a_while(alice: User) -> None:
    for name in ("works", "revoked", "long ago"):
        tokens.issue(alice, label=name)
    ApiToken.objects.filter(label="revoked").update(revoked_at=now())
    ApiToken.objects.filter(label="long ago").update(revoked_at=now() - timedelta(days=91))

    Pruning().prune()

    assert {token.label for token in ApiToken.objects.all()} == {"works", "revoked"}


def test_a_login_goes_when_it_has_ended() -> None:
    ended, lasting = SessionStore(), SessionStore()
    ended.set_expiry(-1)
    for login in (ended, lasting):
        login.save()

    Pruning().prune()

    assert [login.session_key for login in Login.objects.all()] == [lasting.session_key]


def test_a_session_goes_with_the_last_who_takes_part(session: SessionId, owner: Author, alice: User) -> None:
    post_message(session, owner)
    alice.delete()

    Pruning().prune()
    remove_deleted()

    assert not any(model.objects.exists() for model in (Session, Event, Run))


def test_a_session_stays_for_those_who_take_part_when_its_owner_goes(
    session: SessionId, alice: User, bob: User
) -> None:
    Participant.objects.create(session_id=session, user=bob, role="viewer")
    alice.delete()

    Pruning().prune()
    remove_deleted()

    assert [listed.id for listed in sessions.listing(user=UserId(bob.pk))] == [session]


def test_every_row_is_looked_at_a_piece_at_a_time(alice: User) -> None:
    for _ in range(5):
        device(alice, last_seen_at=now() - timedelta(days=181))
    pruning = Pruning(rows=2)
    left = []

    for _ in range(4):
        pruning.prune()
        left.append(Device.objects.count())
    device(alice, last_seen_at=now() - timedelta(days=181))
    pruning.prune()

    assert left == [3, 1, 0, 0]
    assert not Device.objects.exists()
