"""The questions that Runs put to people. The only writer of Ask.

A question is open until somebody answers, declines or writes a message instead, until it expires, or until its Run ends. The
first wins: all of them lock the Session's row, and before it that of the Run, which goes on when a question that it waits for is
closed.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, cast

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from msgspec import UNSET, Struct, convert, to_builtins

from sessions_core import log
from sessions_core.models import Ask, Participant, Run
from sessions_core.protocol import clock, text
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import AskClosed as AskClosedRefusal
from sessions_core.protocol.errors import AskForbidden, Fenced, LimitReached, NotFound
from sessions_core.protocol.events import (
    SYSTEM,
    AskAnswered,
    AskClosed,
    AskEnd,
    AskKind,
    AskOpened,
    Responders,
)
from sessions_core.protocol.ids import AskId, ClientId, MessageId, RunId, SessionId, UserId, new_ask
from sessions_core.protocol.run_states import RunState
from sessions_core.services import access, answers, consents, failures, waiting
from sessions_core.services.access import Right

logger = logging.getLogger(__name__)

AskState = Literal["open", "answered", "closed"]

TITLE_CHARACTERS: Final = 500
OPEN_ASKS: Final = 100  # of one Run
EXPIRE_BATCH: Final = 200  # questions in one sweep
EDITORS: Final = ("owner", "editor")  # who may answer, unless the question says otherwise
_TOO_LATE: Final = "The time for this question is over."


class Outcome(Struct, frozen=True):
    """What has become of a question. `end` says why nobody has answered it, `message` what somebody wrote instead."""

    ask: AskId
    state: AskState
    value: Any = None
    end: AskEnd | None = None
    message: str | None = None


class Answered(Struct, frozen=True):
    """The seq of the Event that an answer has appended. `repeated`: the same command was carried out before."""

    seq: int
    repeated: bool = False


def open_ask(
    claim: Claim,
    key: str,
    *,
    title: str,
    kind: AskKind,
    schema: Mapping[str, Any],
    expires_at: datetime | None = None,
    responders: Responders | None = None,
    default: object = None,
    call: str = "",
    tool: str = "",
) -> Outcome:
    """Opens a question under a key of its Run, unless that was done before, and returns what has become of it. Raises Fenced,
    LimitReached, and BadField or TooLarge when the question is none.
    """
    title = text.shorten(text.repair(title), TITLE_CHARACTERS)
    answers.check_schema(schema)
    answers.check_size(default)
    with transaction.atomic(durable=True):
        run = Run.objects.select_for_update().filter(pk=claim.run, fence=claim.fence, state=RunState.RUNNING).first()
        if run is None or run.cancel_requested_at:
            raise Fenced
        if (found := Ask.objects.filter(run_id=claim.run, key=key).first()) is not None:
            return _outcome(found)
        if Ask.objects.filter(run_id=claim.run, state="open").count() >= OPEN_ASKS:
            raise LimitReached(f"{OPEN_ASKS} questions of this answer are open, and no more may be.")
        fact = AskOpened(
            ask=new_ask(),
            title=title,
            schema=dict(schema),
            ask_kind=kind,
            expires_at=UNSET if expires_at is None else clock.wire(expires_at),
            by=responders or UNSET,
            call=call or UNSET,
            tool=tool or UNSET,
            default=UNSET if default is None else default,
        )
        log.append(claim.session, [fact], actor=claim.actor, run=claim.run)
        ask = Ask.objects.create(
            id=fact.ask,
            session_id=claim.session,
            run_id=claim.run,
            key=key,
            kind=kind,
            title=title,
            schema=dict(schema),
            responders=to_builtins(responders) if responders else None,
            call=call,
            tool=tool,
            expires_at=expires_at,
        )
        return _outcome(ask)


def answer(
    session_id: SessionId, ask_id: AskId, *, by: Author, client_id: ClientId, value: object, device_label: str = ""
) -> Answered:
    """Answers a question. Raises NotFound, ReadOnly, AskForbidden, AskClosed, BadAnswer."""
    with transaction.atomic(durable=True):
        ask, first = _begin(session_id, ask_id, by=by, client_id=client_id, kind=AskAnswered)
        if first is not None:
            return Answered(seq=first, repeated=True)
        if not _expire_if_due(ask):
            return Answered(seq=_answer(ask, value, by=by, client_id=client_id, device_label=device_label))
    raise AskClosedRefusal(_TOO_LATE)


def decline(session_id: SessionId, ask_id: AskId, *, by: Author, client_id: ClientId) -> Answered:
    """Closes a question without an answer. Raises NotFound, ReadOnly, AskForbidden, AskClosed."""
    with transaction.atomic(durable=True):
        ask, first = _begin(session_id, ask_id, by=by, client_id=client_id, kind=AskClosed)
        if first is not None:
            return Answered(seq=first, repeated=True)
        if not _expire_if_due(ask):
            seq = _close(ask, "declined", by=by, client_id=client_id)
            waiting.resume_if_due(RunId(ask.run_id))
            return Answered(seq=seq)
    raise AskClosedRefusal(_TOO_LATE)


def may_close(run: Run, by: Author) -> bool:
    """Returns whether the Run has an open question that `by` may answer."""
    return bool(_answerable(run, by))


def decline_by_message(run: Run, message: MessageId, *, by: Author) -> None:
    """Closes the open questions of a Run that `by` may answer, because a message was written instead. The caller has locked the
    Run's row and the Session's.
    """
    for ask in _answerable(run, by):
        _close(ask, "declined", by=by, message=message)
    waiting.resume_if_due(RunId(run.pk))


def close_of(run: Run) -> None:
    """Closes the open questions of a Run that ends. The caller has locked its row."""
    for ask in Ask.objects.filter(run=run, state="open").order_by("opened_at"):
        _close(ask, "run_ended", by=None)


def expire() -> None:
    """Closes the questions whose time is over. Every worker does it."""
    due = Ask.objects.filter(state="open", expires_at__lte=Now()).order_by("expires_at")
    for ask_id in due.values_list("pk", flat=True)[:EXPIRE_BATCH]:
        try:
            _expire(AskId(ask_id))
        except Exception as error:  # an error in one question must not keep the sweep from the others
            if failures.is_outage(error):
                raise
            logger.exception("The question %s, whose time is over, cannot be closed.", ask_id)


def open_in(session_id: SessionId, *, user: UserId) -> list[dict[str, Any]]:
    """Returns the open questions of the Session, oldest first. Raises NotFound."""
    access.member(session_id, user=user)
    found = Ask.objects.filter(session_id=session_id, state="open").order_by("opened_at")
    return [
        {
            "id": ask.pk,
            "run": ask.run_id,
            "kind": ask.kind,
            "title": ask.title,
            "form": ask.schema,
            "by": ask.responders,
            "expires_at": ask.expires_at,
        }
        for ask in found
    ]


def _expire(ask_id: AskId) -> None:
    with transaction.atomic(durable=True):
        Run.objects.select_for_update().filter(asks=ask_id).first()
        ask = Ask.objects.select_for_update().filter(pk=ask_id, state="open").first()
        if ask is not None:
            _expire_if_due(ask)


def _expire_if_due(ask: Ask) -> bool:
    """Closes an open question whose time is over, and returns whether it is. The caller has locked the row of its Run."""
    if not Ask.objects.filter(pk=ask.pk, expires_at__lte=Now()).exists():
        return False
    _close(ask, "expired", by=None)
    waiting.resume_if_due(RunId(ask.run_id))
    return True


def _answer(ask: Ask, value: object, *, by: Author, client_id: ClientId, device_label: str) -> int:
    answers.check(ask, value)
    fact = AskAnswered(
        ask=AskId(ask.pk),
        value=value,
        by=str(by.user),
        device=by.device_text,
        device_label=device_label or UNSET,
    )
    span = log.append(SessionId(ask.session_id), [fact], actor=by.actor, run=RunId(ask.run_id), client_id=client_id)
    Ask.objects.filter(pk=ask.pk).update(state="answered", value=value, answered_by=by.user, closed_at=Now())
    if ask.kind == "approval":
        consents.remember(ask, value, by=by)
    waiting.resume_if_due(RunId(ask.run_id))
    return span.end


def _begin(
    session_id: SessionId, ask_id: AskId, *, by: Author, client_id: ClientId, kind: type[AskAnswered | AskClosed]
) -> tuple[Ask, int | None]:
    """Locks the Run and the Session. Returns the open question, and the seq of the first time if the command was given before."""
    access.check_known(session_id, by=by, client_id=client_id)
    Run.objects.select_for_update().filter(session_id=session_id, asks=ask_id).first()  # before the Session
    _, first = access.begin_once(session_id, by=by, right=Right.TAKE_PART, client_id=client_id, kind=kind)
    ask = Ask.objects.filter(session_id=session_id, pk=ask_id).first()
    if ask is None:
        raise NotFound("There is no such question in this conversation.")
    if first is None:
        if not _may_answer(ask, by):
            raise AskForbidden
        if ask.state != "open":
            raise AskClosedRefusal(_closed_sentence(ask))
    return ask, first[0] if first else None


def _answerable(run: Run, by: Author) -> list[Ask]:
    """Returns the questions of the Run that `by` may answer: open ones whose time is not over."""
    in_time = Ask.objects.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), run=run, state="open")
    return [ask for ask in in_time.order_by("opened_at") if _may_answer(ask, by)]


def _may_answer(ask: Ask, by: Author) -> bool:
    responders = convert(ask.responders, Responders) if ask.responders else Responders(roles=EDITORS)
    if str(by.user) in responders.users:
        return True
    return Participant.objects.filter(session_id=ask.session_id, user_id=by.user, role__in=responders.roles).exists()


def _close(
    ask: Ask, end: AskEnd, *, by: Author | None, client_id: ClientId | None = None, message: MessageId | None = None
) -> int:
    fact = AskClosed(ask=AskId(ask.pk), reason=end, message=message or UNSET)
    actor = by.actor if by else SYSTEM
    span = log.append(SessionId(ask.session_id), [fact], actor=actor, run=RunId(ask.run_id), client_id=client_id)
    Ask.objects.filter(pk=ask.pk).update(state="closed", end=end, message=message, closed_at=Now())
    return span.end


def _closed_sentence(ask: Ask) -> str:
    if ask.state == "answered":
        name = ask.answered_by.get_username() if ask.answered_by else "Somebody"
        return f"{name} has answered this question already."
    return {
        "expired": _TOO_LATE,
        "declined": "This question was declined.",
        "run_ended": "The answer that asked this has ended.",
    }[ask.end]


def _outcome(ask: Ask) -> Outcome:
    return Outcome(
        ask=AskId(ask.pk),
        state=cast("AskState", ask.state),
        value=ask.value,
        end=cast("AskEnd", ask.end) if ask.end else None,
        message=log.text_of(SessionId(ask.session_id), MessageId(ask.message)) if ask.message else None,
    )
