"""Every command checks the right of its user under the lock. A new one has to be listed here, and passes the same tests (P12)."""

import inspect
import pkgutil
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

import pytest
from django.db import transaction
from django.db.models.functions import Now

from sessions_core import services
from sessions_core.models import Ask, Consent, Participant, QueuedMessage, Run, Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import Forbidden, NotFound, ReadOnly, Refusal
from sessions_core.protocol.events import Part
from sessions_core.protocol.ids import AskId, MessageId, RunId, SessionId, new_message, new_run
from sessions_core.services import access, asks, consents, deletion, messages, runs, sessions, signals
from tests.db.acts import author, concurrently, new_client_id, post_message, somebody_waits
from tests.support.waiting import until

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)

COMMANDS: Final[dict[str, Callable[[SessionId, Author], object]]] = {
    "messages.post": post_message,
    "sessions.rename": lambda session, by: sessions.rename(session, by=by, title="Mine"),
    "sessions.archive": lambda session, by: sessions.archive(session, by=by),
    "sessions.restore": lambda session, by: sessions.restore(session, by=by),
    "sessions.configure": lambda session, by: sessions.configure(session, by=by, policy="reject"),
    "runs.cancel.cancel": lambda session, by: runs.cancel(session, by=by, client_id=new_client_id()),
    "messages.edit_queued": lambda session, by: messages.edit_queued(
        session, by=by, client_id=new_client_id(), message=_queued(session), parts=[Part(type="text", text="other")]
    ),
    "runs.queue_changes.withdraw": lambda session, by: runs.withdraw(
        session, by=by, client_id=new_client_id(), message=_queued(session)
    ),
    "runs.queue_changes.resume_queue": lambda session, by: runs.resume_queue(session, by=by, client_id=new_client_id()),
    "asks.answer": lambda session, by: asks.answer(
        session, _asked(session), by=by, client_id=new_client_id(), value="yes"
    ),
    "asks.decline": lambda session, by: asks.decline(session, _asked(session), by=by, client_id=new_client_id()),
    "consents.revoke": lambda session, by: consents.revoke(
        session, by=by, client_id=new_client_id(), agent="script", tool="look"
    ),
    "signals.send": lambda session, by: signals.send(
        session, _run(session), "paid", by=by, client_id=new_client_id(), value=1
    ),
    "runs.request.retry": lambda session, by: runs.retry(session, by=by, client_id=new_client_id(), run_id=new_run()),
    "runs.regenerate.regenerate": lambda session, by: runs.regenerate(
        session, by=by, client_id=new_client_id(), message=new_message()
    ),
    "deletion.delete": lambda session, by: deletion.delete(session, by=by),
}
WRITES_ONLY: Final = {
    *("messages.post", "messages.edit_queued", "sessions.configure", "runs.request.retry"),
    "runs.regenerate.regenerate",
    *("runs.queue_changes.withdraw", "runs.queue_changes.resume_queue"),
    *("asks.answer", "asks.decline", "signals.send"),
}  # refused in an archived Session
INSIDE_A_COMMAND: Final = {
    *("access.begin", "access.begin_once", "access.check_known"),
    *("runs.request.request", "runs.queue_changes.edit_queued", "runs.queue.append_withdrawn", "runs.queue.resume"),
    "runs.cancel.interrupt",
}
OF_THE_STAFF: Final = {"runs.cancel.cancel_by_staff"}  # no member


def _queued(session: SessionId) -> MessageId:
    """Returns the newest Message in the queue, if there is one."""
    queued = QueuedMessage.objects.filter(session_id=session).order_by("-posted_seq").first()
    return MessageId(queued.message) if queued else new_message()


def _run(session: SessionId) -> RunId:
    return RunId(Run.objects.filter(session_id=session).order_by("asked_seq").values_list("pk", flat=True)[0])


def _asked(session: SessionId) -> AskId:
    return AskId(Ask.objects.get(session_id=session).pk)


def _fill(session: SessionId, by: Author) -> None:
    """Gives the commands something to act on: an answer that asks, a queued Message, and a consent."""
    run = post_message(session, by).run
    post_message(session, by)
    Ask.objects.create(session_id=session, run_id=run, key="go-on", kind="choice", title="?", schema={"enum": ["yes"]})
    Consent.objects.create(session_id=session, agent="script", tool="look", digest="")


def _archive(session: SessionId) -> None:
    Session.objects.filter(pk=session).update(archived_at=Now())


def _make_viewers(session: SessionId) -> None:
    Participant.objects.filter(session_id=session).update(role="viewer")


def _remove_all(session: SessionId) -> None:
    Participant.objects.filter(session_id=session).delete()


def _found_commands() -> Iterator[str]:
    """Finds the public functions of all services that are given a Session and the person who acts."""
    for found in pkgutil.walk_packages(services.__path__, f"{services.__name__}."):
        module = import_module(found.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            is_own = function.__module__ == module.__name__ and not name.startswith("_")
            if is_own and {"session_id", "by"} <= inspect.signature(function).parameters.keys():
                yield f"{found.name}.{name}".removeprefix(f"{services.__name__}.")


def test_all_commands_are_tested_here() -> None:
    assert set(_found_commands()) == COMMANDS.keys() | INSIDE_A_COMMAND | OF_THE_STAFF


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("change", "refusals"),
    [(_remove_all, NotFound), (_make_viewers, (ReadOnly, Forbidden)), (_archive, ReadOnly)],
)
def test_a_command_that_waited_for_the_lock_is_judged_by_what_is_true_then(
    session: SessionId,
    owner: Author,
    name: str,
    change: Callable[[SessionId], None],
    refusals: type[Refusal] | tuple[type[Refusal], ...],
) -> None:
    _fill(session, owner)
    is_locked = threading.Event()

    def change_slowly() -> Mapping[str, object]:
        with transaction.atomic():
            Session.objects.select_for_update().get(pk=session)
            is_locked.set()
            until(somebody_waits)
            change(session)
            return Session.objects.values().get(pk=session)

    def give() -> object:
        is_locked.wait()
        return COMMANDS[name](session, owner)

    before, outcome = concurrently(change_slowly, give)

    if change is _archive and name not in WRITES_ONLY:
        assert not isinstance(outcome, Exception)
    else:
        assert isinstance(outcome, refusals)
        assert not isinstance(outcome, NotFound) or str(outcome) == access.NO_SESSION
        assert Session.objects.values().get(pk=session) == before


@pytest.mark.parametrize("name", COMMANDS)
def test_a_stranger_waits_for_no_lock(session: SessionId, owner: Author, mallory: "User", name: str) -> None:
    _fill(session, owner)
    with transaction.atomic():
        Session.objects.select_for_update().get(pk=session)

        assert [type(outcome) for outcome in concurrently(lambda: COMMANDS[name](session, author(mallory)))] == [
            NotFound
        ]
