"""Who sits before the screens, and what the log says about what they did."""

import json
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

from django.contrib.sessions.models import Session as Stored

from chatapp.pages import sign_in_links
from sessions_core import hints, log
from sessions_core.models import Participant, Run
from sessions_core.protocol.author import Author
from sessions_core.protocol.events import Actor, MessageCompleted, MessagePosted, MessageStarted, Part
from sessions_core.protocol.ids import SessionId, UserId, new_message
from sessions_core.services import sessions
from tests.db.acts import author, facts
from tests.support.cast import PASSWORD, person

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_numbers: Final = count(1)


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in. Each test has its own: the machine is shared."""

    user: "User"

    @property
    def author(self) -> Author:
        return author(self.user)

    def session(self, title: str = "", *, agent: str = "script") -> SessionId:
        """A new Session of theirs."""
        return sessions.create(by=self.author, title=title, agent=agent)

    def joins(self, session: SessionId, *, role: str = "editor") -> None:
        Participant.objects.create(session_id=session, user=self.user, role=role)

    def talked(self, session: SessionId, *, messages: int) -> None:
        """Has asked and was answered so often, long ago."""
        for n in range(1, messages + 1):
            asked, said = new_message(), new_message()
            question = Part(type="text", text=f"Question {n} of a long conversation")
            answer = Part(type="text", text=f"Answer {n} of a long conversation. " + "It goes on for a while. " * 8)
            log.append(
                session,
                [
                    MessagePosted(
                        message=asked,
                        parent=None,
                        role="user",
                        parts=(question,),
                        client_id=None,
                        state="sent",
                        device=None,
                    )
                ],
                actor=self.author.actor,
            )
            agent = Actor(kind="agent", id="script", name="Script")
            started = MessageStarted(message=said, parent=asked, role="assistant", agent="script")
            log.append(
                session, [started, MessageCompleted(message=said, parts=(answer,), state="complete")], actor=agent
            )

    def leaves(self, session: SessionId) -> None:
        """Is removed, as an administrator does it."""
        Participant.objects.filter(session_id=session, user=self.user).delete()
        hints.signal_access(UserId(self.user.pk), session)

    def signs_out_everywhere(self) -> None:
        """As when the sign-in expired: the server does not know this browser any more."""
        for stored in Stored.objects.all():
            if stored.get_decoded().get("_auth_user_id") == str(self.user.pk):
                stored.delete()
        hints.signal_access(UserId(self.user.pk))

    def sign_in_link(self) -> str:
        self.user.refresh_from_db()
        return sign_in_links.make(self.user)


def somebody(name: str) -> Person:
    """A new person of that first name."""
    user = person(f"{name}{next(_numbers)}")
    user.first_name = name.title()
    user.set_password(PASSWORD)
    user.save()
    return Person(user)


def script(**order: int) -> str:
    """A message for the scripted agent."""
    return json.dumps(order)


def only_run(session: SessionId) -> Run:
    """The one Run that the Session had."""
    return Run.objects.get(session_id=session)


def newest_run(session: SessionId) -> Run:
    return Run.objects.filter(session_id=session).order_by("-asked_seq").first() or Run()


def posted(session: SessionId) -> list[str]:
    """What people said, in the order of the log."""
    return ["".join(p.text for p in fact.parts) for fact in facts(session) if isinstance(fact, MessagePosted)]
