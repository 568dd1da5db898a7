"""Deletes users. What they said stays in the logs of the Sessions that others take part in, under the name that they had."""

from functools import partial
from typing import cast

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, IntegerField, Value, When

from sessions_core import hints, log
from sessions_core.models import Participant, Session
from sessions_core.protocol.events import SYSTEM, Fact, ParticipantLeft, ParticipantRoleChanged, Role
from sessions_core.protocol.ids import SessionId, UserId
from sessions_core.services import access, deletion


def delete_user(user_id: UserId) -> None:
    """Deletes the user with devices and tokens. Sessions that they owned pass to another participant, editors first; those that
    nobody else takes part in are deleted. Each Session is a transaction of its own, so a call that broke can be repeated.
    """
    user = User.objects.get(pk=user_id)
    name = access.author(user).name
    while not _try_to_delete(user):
        for session in Participant.objects.filter(user=user).values_list("session_id", flat=True):
            if not _leave(SessionId(session), user_id, name):
                deletion.delete_by_staff(SessionId(session))


def _try_to_delete(user: User) -> bool:
    """Returns False, and changes nothing, when the user takes part in a Session."""
    with transaction.atomic(durable=True):
        User.objects.select_for_update().filter(
            pk=user.pk
        ).first()  # a new Participant waits: its foreign key reads the row
        if Participant.objects.filter(user=user).exists():
            return False
        user.delete()
    return True


def _leave(session_id: SessionId, user_id: UserId, name: str) -> bool:
    """Takes the user out of the Session, and passes it on. Returns False, and changes nothing, when nobody else is in it."""
    with transaction.atomic(durable=True):
        Session.objects.select_for_update().filter(pk=session_id).first()
        mine = Participant.objects.filter(session_id=session_id, user_id=user_id).first()
        if mine is None:
            return True
        heir = _heir(session_id, user_id)
        if mine.role == "owner" and heir is None:
            return False
        mine.delete()
        facts: list[Fact] = [ParticipantLeft(user=str(user_id), name=name, role=cast("Role", mine.role))]
        if mine.role == "owner" and heir is not None:
            Participant.objects.filter(pk=heir.pk).update(role="owner")
            heir_name = access.author(heir.user).name
            facts.append(ParticipantRoleChanged(user=str(heir.user_id), name=heir_name, role="owner"))
            transaction.on_commit(partial(hints.signal_access, UserId(heir.user_id), session_id), robust=True)
        log.append(session_id, facts, actor=SYSTEM)
        transaction.on_commit(partial(hints.signal_access, user_id, session_id), robust=True)
    return True


def _heir(session_id: SessionId, user_id: UserId) -> Participant | None:
    """Returns who is to own the Session; somebody who is switched off only where there is nobody else."""
    others = Participant.objects.filter(session_id=session_id).exclude(user_id=user_id)
    editors_first = Case(When(role="editor", then=Value(0)), default=Value(1), output_field=IntegerField())
    return others.select_related("user").order_by("-user__is_active", editors_first, "joined_at", "pk").first()
