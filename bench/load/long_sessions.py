"""`python -m bench.load.long_sessions 100 10000`: makes Sessions with so many Messages each, and prints their ids as JSON."""

import json
import sys

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402

from sessions_core import log  # noqa: E402
from sessions_core.protocol.author import Author  # noqa: E402
from sessions_core.protocol.events import Actor, Fact, MessageCompleted, MessagePosted, MessageStarted, Part  # noqa: E402
from sessions_core.protocol.ids import MessageId, SessionId, UserId, new_message  # noqa: E402
from sessions_core.services import sessions  # noqa: E402

TEXT = "It is a durable, ordered and shared log of what was said and done. " * 12
SCRIPT = Actor(kind="agent", id="script", name="Script")


def exchange(question: MessageId, answer: MessageId, parent: MessageId | None) -> list[Fact]:
    parts = (Part(type="text", text=TEXT),)
    return [
        MessagePosted(
            message=question, parent=parent, role="user", parts=parts, client_id=None, state="sent", device=None
        ),
        MessageStarted(message=answer, parent=question, role="assistant", agent="script"),
        MessageCompleted(message=answer, parts=parts, state="complete"),
    ]


def make_session(by: Author, messages: int) -> SessionId:
    session = sessions.create(by=by, agent="guide")
    answer = None
    for _ in range(messages // 2):
        before, answer = answer, new_message()
        log.append(session, exchange(new_message(), answer, before), actor=SCRIPT)
    return session


if __name__ == "__main__":
    user, _ = User.objects.get_or_create(username="bench")
    author = Author(user=UserId(user.pk), name="bench")
    json.dump({count: str(make_session(author, int(count))) for count in sys.argv[1:]}, sys.stdout)
