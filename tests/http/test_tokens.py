from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries

from sessions_core.models import ApiToken
from sessions_core.services import tokens
from tests.http.clients import ApiClient


def test_a_token_is_found_by_what_was_shown_once(alice: User) -> None:
    found = tokens.find(tokens.issue(alice, label="backup"))

    assert found is not None
    assert (found.user, found.name, found.can_write) == (alice.pk, "Alice", True)


def test_the_database_holds_nothing_that_opens_a_door(alice: User) -> None:
    secret = tokens.issue(alice)

    row = ApiToken.objects.values_list().get()
    assert not any(secret in str(value) for value in row)
    assert tokens.find(ApiToken.objects.get().digest) is None


@pytest.mark.parametrize("guess", ["", "ds_", "ds_nothing", "x" * 100_000, "\x00", "\ud800", "ü"])
@pytest.mark.django_db
def test_a_guess_finds_nothing(guess: str) -> None:
    assert tokens.find(guess) is None


def test_finding_costs_one_query_and_a_note_once_a_minute(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    secret = tokens.issue(alice)

    with django_assert_num_queries(2):
        tokens.find(secret)
    with django_assert_num_queries(1):
        tokens.find(secret)


def test_use_is_noted_again_after_a_minute(alice: User) -> None:
    secret = tokens.issue(alice)
    tokens.find(secret)
    first = ApiToken.objects.get().last_used_at
    assert first is not None

    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    tokens.find(secret)

    noted = ApiToken.objects.get().last_used_at
    assert noted is not None
    assert noted >= first


def test_a_revoked_token_is_refused_from_the_next_call_on(alice: User) -> None:
    script = ApiClient(alice)
    assert script.get("sessions").status == 200

    tokens.revoke(ApiToken.objects.get())

    refused = script.get("sessions")
    assert (refused.status, refused.code) == (401, "not_signed_in")


def test_revoking_twice_keeps_the_first_moment(alice: User) -> None:
    tokens.issue(alice)
    tokens.revoke(ApiToken.objects.get())
    first = ApiToken.objects.get().revoked_at

    tokens.revoke(ApiToken.objects.get())

    assert ApiToken.objects.get().revoked_at == first


def test_the_token_of_a_switched_off_user_is_refused(alice: User) -> None:
    script = ApiClient(alice)

    User.objects.update(is_active=False)

    assert script.get("sessions").status == 401


@pytest.mark.django_db
def test_issue_token_makes_the_user_and_prints_the_token_alone() -> None:
    out, err = StringIO(), StringIO()

    call_command("issue_token", "carol", create=True, stdout=out, stderr=err)

    lines = out.getvalue().splitlines()
    found = tokens.find(lines[-1])
    assert len(lines) == 1
    assert found is not None
    assert found.name == "carol"
    assert not User.objects.get(pk=found.user).has_usable_password()


def test_issue_token_of_a_known_user_changes_nobody(alice: User) -> None:
    out = StringIO()

    call_command("issue_token", "alice", create=True, read_only=True, stdout=out)

    found = tokens.find(out.getvalue().strip())
    assert found is not None
    assert found.user == alice.pk
    assert not found.can_write
    assert alice.has_usable_password()


@pytest.mark.parametrize("name", ["no one", "x" * 151, "a\x00b", "a\nb", ""])
@pytest.mark.django_db
def test_issue_token_refuses_an_impossible_name_with_a_sentence(name: str) -> None:
    with pytest.raises(CommandError, match="cannot be a user's name"):
        call_command("issue_token", name, create=True, stderr=StringIO())

    assert not User.objects.exists()


@pytest.mark.django_db
def test_issue_token_names_the_way_out_when_there_is_no_such_user() -> None:
    with pytest.raises(CommandError, match="--create"):
        call_command("issue_token", "nobody")


def test_issue_token_refuses_a_switched_off_user(alice: User) -> None:
    User.objects.update(is_active=False)

    with pytest.raises(CommandError, match="switched off"):
        call_command("issue_token", "alice")
