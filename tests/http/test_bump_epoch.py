from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from sessions_core import log
from tests.http.clients import ApiClient, create_session


def test_after_a_restore_every_cursor_starts_anew(alice: User) -> None:
    session = create_session(alice)
    script = ApiClient(alice)
    known = script.get(f"sessions/{session}/events").body
    out = StringIO()

    call_command("bump_epoch", stdout=out)

    page = script.get(f"sessions/{session}/events?after={known['to']}&epoch={known['epoch']}").body
    assert page["restart"] is True
    assert page["epoch"] > known["epoch"]
    assert out.getvalue() == "1 logs have a new epoch; clients will read them anew.\n"


@pytest.mark.django_db
def test_each_restore_gets_an_epoch_of_its_own(alice: User) -> None:
    session = create_session(alice)

    epochs = [1]
    for _ in range(3):
        call_command("bump_epoch", stdout=StringIO())
        epochs.append(log.heads([session])[session].epoch)

    assert epochs == sorted(set(epochs))
