"""The people before the screens, and what the log says about what they did."""

import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

from django.contrib.sessions.models import Session as Stored

from chatapp.pages import sign_in_links
from sessions_core import hints, log
from sessions_core.models import Participant, Run
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import RunEnded
from sessions_core.protocol.events import Actor, MessageCompleted, MessagePosted, MessageStarted, Part
from sessions_core.protocol.ids import RunId, SessionId, UserId, new_message
from sessions_core.services import runs, sessions
from tests.db.acts import author, facts
from tests.support.cast import PASSWORD, person

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from playwright.sync_api import BrowserContext

_numbers: Final = count(1)


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in. Each test has its own: the machine is shared."""

    user: "User"

    @property
    def author(self) -> Author:
        return author(self.user)

    def session(self, title: str = "", *, agent: str = "script") -> SessionId:
        """Creates a Session that this person owns."""
        return sessions.create(by=self.author, title=title, agent=agent)

    def joins(self, session: SessionId, *, role: str = "editor") -> None:
        Participant.objects.create(session_id=session, user=self.user, role=role)

    def talked(self, session: SessionId, *, messages: int) -> None:
        """Writes so many questions and answers into the log, all complete."""
        before = log.find_end(session)
        for n in range(1, messages + 1):
            asked, said = new_message(), new_message()
            question = Part(type="text", text=f"Question {n} of a long conversation")
            answer = Part(type="text", text=f"Answer {n} of a long conversation. " + "It goes on for a while. " * 8)
            log.append(
                session,
                [
                    MessagePosted(
                        message=asked,
                        parent=before,
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
            before = said

    def leaves(self, session: SessionId) -> None:
        """Removes the person from the Session, as an administrator does it."""
        Participant.objects.filter(session_id=session, user=self.user).delete()
        hints.signal_access(UserId(self.user.pk), session)

    def signs_out_everywhere(self) -> None:
        """Deletes every sign-in of the person, as when they expired: the server no longer knows their browsers."""
        for stored in Stored.objects.all():
            if stored.get_decoded().get("_auth_user_id") == str(self.user.pk):
                stored.delete()
        hints.signal_access(UserId(self.user.pk))

    def signs_in(self, browser: "BrowserContext", url: str) -> None:
        """Signs in by a link. Not in a tab: rendering the pages would only cost time."""
        link = f"{url}{self.sign_in_link()}"
        field = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.request.get(link).text())
        assert field
        answer = browser.request.post(link, form={"csrfmiddlewaretoken": field[1]}, max_redirects=0)
        assert answer.status == 302, answer.text()

    def sign_in_link(self) -> str:
        self.user.refresh_from_db()
        return sign_in_links.make(self.user)


def somebody(name: str) -> Person:
    """Creates a person of that first name."""
    user = person(f"{name}{next(_numbers)}")
    user.first_name = name.title()
    user.set_password(PASSWORD)
    user.save()
    return Person(user)


def stop_all() -> None:
    """Stops every Run that has not ended, as the staff does it."""
    for run in Run.objects.filter(ended_at=None).exclude(requested_by=None).select_related("requested_by"):
        assert run.requested_by is not None
        with suppress(RunEnded):
            runs.cancel_by_staff(SessionId(run.session_id), RunId(run.pk), by=author(run.requested_by))


def only_run(session: SessionId) -> Run:
    """Returns the Session's Run. Fails where it has none or several."""
    return Run.objects.get(session_id=session)


def newest_run(session: SessionId) -> Run:
    return Run.objects.filter(session_id=session).order_by("-asked_seq").first() or Run()


def posted(session: SessionId) -> list[str]:
    """Returns the texts of people's messages, in the order of the log."""
    return ["".join(p.text for p in fact.parts) for fact in facts(session) if isinstance(fact, MessagePosted)]
