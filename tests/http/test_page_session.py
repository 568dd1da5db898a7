import json
import re
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.defaults import server_error

from chatapp.pages.body_limit import REQUEST_BODY_LIMIT
from chatapp.pages.views.conversation import PAGE_BYTES, PAGE_MESSAGES
from sessions_core import log
from sessions_core.models import Participant, Run, Session
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import MessageDelta, MessageStarted, RunCompleted, RunFailed
from sessions_core.protocol.ids import BEGINNING, ClientId, SessionId, new_message
from sessions_core.protocol.run_states import RunState
from sessions_core.services import access, runs, sessions
from sessions_core.services.messages import MESSAGE_CHARACTERS
from tests.db.acts import Posted
from tests.http.clients import claim_run, create_session, post_message, with_participant


def start_answer(posted: Posted, text: str) -> Claim:
    """Claims the Run of a post, and begins its answer with `text`."""
    claim, message = claim_run(posted.run), new_message()
    log.append_as(
        claim,
        [
            MessageStarted(message=message, parent=posted.message, role="assistant", agent=claim.agent),
            MessageDelta(message=message, part=0, part_type="text", offset=0, text=text),
        ],
    )
    return claim


def open_session(reader: Client, session: SessionId, **query: str) -> str:
    page = reader.get(reverse("session", args=[session]), query)
    assert page.status_code == 200
    return page.content.decode()


def start_data(page: str) -> Any:  # noqa: ANN401  # JSON
    found = re.search(r'<script type="application/json" id="start">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def visible(page: str) -> str:
    """Returns the page without its templates, scripts and embedded data."""
    return re.sub(r"<(template|script)\b.*?</\1>", "", page, flags=re.DOTALL)


def test_a_message_that_was_edited_is_not_shown_without_a_script(reader: Client, alice: User) -> None:
    session = create_session(alice, title="Trip")
    for text, answer in (("What is kept?", "All."), ("What is kept for ever?", "The log.")):
        runs.finish(start_answer(post_message(session, alice, text, parent=BEGINNING), answer), RunCompleted())

    page = visible(open_session(reader, session))

    assert ("What is kept for ever?" in page, "The log." in page) == (True, True)
    assert ("What is kept?" in page, "All." in page) == (False, False)


def test_history_is_there_without_a_script(reader: Client, alice: User) -> None:
    session = create_session(alice)
    runs.finish(start_answer(post_message(session, alice, "Is it *kept*?"), "Yes, **all** of it."), RunCompleted())

    page = visible(open_session(reader, session))

    assert "Is it *kept*?" in page
    assert "<p>Yes, <strong>all</strong> of it.</p>" in page


def test_the_script_goes_on_from_where_the_page_ends(reader: Client, alice: User) -> None:
    session = create_session(alice)
    post_message(session, alice, "</script><b>&amp;")

    start = start_data(open_session(reader, session))

    head = Session.objects.get(pk=session).head
    assert (start["session"], start["to"], start["me"]) == (str(session), head, str(alice.pk))
    posted = next(event for event in start["events"] if event["kind"] == "message.posted")
    assert posted["data"]["parts"][0]["text"] == "</script><b>&amp;"


def test_what_people_and_models_write_is_text(reader: Client, alice: User) -> None:
    session = create_session(alice, title="<i>title</i>")
    runs.finish(start_answer(post_message(session, alice, "<img src=x>"), "<img src=y onerror=z()>"), RunCompleted())

    page = visible(open_session(reader, session))

    assert "<img" not in page
    assert "<i>" not in page


def test_a_long_history_is_paged_back_without_a_script(reader: Client, alice: User) -> None:
    session = create_session(alice)
    for number in range(PAGE_MESSAGES + 2):
        runs.finish(claim_run(post_message(session, alice, f"number {number}.").run), RunCompleted())

    newest = visible(open_session(reader, session))
    before = re.search(r'href="\?before=(\d+)"', newest)
    assert before
    earlier = visible(open_session(reader, session, before=before[1]))

    assert "number 1." not in newest
    assert "number 1." in earlier
    assert f"number {PAGE_MESSAGES + 1}." not in earlier


@pytest.mark.parametrize("before", ["9" * 5000, "9" * 17, "0", "-1", "x"])
def test_a_page_before_nothing_that_can_be_is_no_fault_of_ours(reader: Client, alice: User, before: str) -> None:
    open_session(reader, create_session(alice), before=before)


def test_stop_is_there_while_something_runs(reader: Client, alice: User) -> None:
    session = create_session(alice)
    claim = start_answer(post_message(session, alice), "one two")
    stop = re.compile(r'<button class="stop"[^>]*>')
    assert "hidden" not in stop.findall(open_session(reader, session))[0]

    runs.finish(claim, RunCompleted())
    assert "hidden" in stop.findall(open_session(reader, session))[0]


def test_what_goes_on_in_an_archived_session_can_be_stopped(reader: Client, alice: User, bob: User) -> None:
    session = with_participant(create_session(alice), bob)
    posted = post_message(session, alice)
    sessions.archive(session, by=access.author(alice))

    assert f'formaction="{reverse("stop", args=[session])}"' in open_session(reader, session)
    reader.post(reverse("stop", args=[session]))
    assert Run.objects.get(pk=posted.run).state == RunState.CANCELLED

    Participant.objects.filter(user=alice).update(role="viewer")
    assert 'id="stop"' not in open_session(reader, session)


def test_a_stopped_answer_says_who_stopped_it_and_keeps_what_was_written(
    reader: Client, alice: User, bob: User
) -> None:
    session = with_participant(create_session(alice), bob)
    claim = start_answer(post_message(session, alice), "half an ans")
    runs.cancel(session, by=access.author(bob), client_id=ClientId(uuid4()))
    runs.finish(claim, RunCompleted())

    page = visible(open_session(reader, session))

    assert "Stopped by Bob" in page
    assert "half an ans" in page


def test_a_failed_answer_says_why_and_can_be_tried_again(reader: Client, alice: User) -> None:
    session = create_session(alice)
    posted = post_message(session, alice)
    runs.finish(start_answer(posted, "half"), RunFailed(code="provider", message="The provider is busy.", retry=True))
    page = visible(open_session(reader, session))
    assert "The provider is busy." in page
    again = re.search(r'action="([^"]+/retry/)"', page)
    assert again

    form = {"client_id": str(uuid4())}
    reader.post(again[1], form)
    reader.post(again[1], form)

    assert Run.objects.filter(session=session, replies_to=posted.message).count() == 2
    assert "/retry/" not in visible(open_session(reader, session))


def test_a_post_behind_another_waits_its_turn(reader: Client, alice: User) -> None:
    session = create_session(alice)
    post_message(session, alice, "first")
    post_message(session, alice, "second")

    page = visible(open_session(reader, session))

    assert page.index("Guide is thinking") < page.index("Waits for its turn") < page.index("second")
    assert page.count("is thinking") == 1


def test_the_form_keeps_the_indent_of_the_first_line(reader: Client, alice: User) -> None:
    session = create_session(alice)

    reader.post(reverse("post", args=[session]), {"text": "\r\n    indented\r\nless\r\n\r\n"})

    assert '<div class="user-message__text" dir="auto" data-slot="text">    indented\nless</div>' in open_session(
        reader, session
    )


def test_the_form_posts_once_however_often_it_is_sent(reader: Client, alice: User) -> None:
    session = create_session(alice)
    form = {"text": "line one\r\nline two", "client_id": str(uuid4())}

    reader.post(reverse("post", args=[session]), form)
    reader.post(reverse("post", args=[session]), form)

    events = start_data(open_session(reader, session))["events"]
    posts = [event["data"]["parts"][0]["text"] for event in events if event["kind"] == "message.posted"]
    assert posts == ["line one\nline two"]


@pytest.mark.parametrize(
    ("text", "status", "sentence"),
    [
        ("", 422, "An empty message cannot be sent."),
        ("x" * (MESSAGE_CHARACTERS + 1), 413, "at most 32,000"),
        ("nul\x00", 422, "NUL"),
    ],
)
def test_what_is_refused_comes_back_with_the_reason(
    reader: Client, alice: User, text: str, status: int, sentence: str
) -> None:
    session = create_session(alice)

    page = reader.post(reverse("post", args=[session]), {"text": text})

    assert page.status_code == status
    assert sentence in page.content.decode()
    assert f">{text}</textarea>" in page.content.decode()


def test_stop_from_the_form(reader: Client, alice: User) -> None:
    session = create_session(alice)
    posted = post_message(session, alice)

    reader.post(reverse("stop", args=[session]))
    again = reader.post(reverse("stop", args=[session]), follow=True)

    assert Run.objects.get(pk=posted.run).state == RunState.CANCELLED
    assert "nothing to stop" in again.content.decode()


def test_a_new_session_begins_with_its_first_message(reader: Client) -> None:
    form = {"text": "What is a durable session?", "agent": "script", "client_id": str(uuid4())}

    first = reader.post(reverse("begin"), form)
    second = reader.post(reverse("begin"), form)

    assert first.headers["Location"] == second.headers["Location"]
    session = Session.objects.get()
    assert (session.title, session.agent) == ("What is a durable session?", "script")
    assert Run.objects.count() == 1


def test_the_script_is_answered_in_json(reader: Client) -> None:
    json_please = {"Accept": "application/json"}

    made = reader.post(reverse("begin"), {"text": "hi"}, headers=json_please)
    refused = reader.post(reverse("begin"), {"text": "hi", "agent": "nobody"}, headers=json_please)

    assert (made.status_code, made.json()["url"]) == (201, reverse("session", args=[Session.objects.get().pk]))
    assert (refused.status_code, refused.json()["problem"]) == (422, "There is no agent called “nobody” here.")


def test_an_unknown_agent_loses_no_text(reader: Client) -> None:
    page = reader.post(reverse("begin"), {"text": "a long thought", "agent": "nobody"})

    assert page.status_code == 422
    assert ">a long thought</textarea>" in page.content.decode()


def test_a_viewer_reads(client: Client, alice: User, bob: User) -> None:
    session = with_participant(create_session(alice, title="Alice's"), bob, "viewer")
    client.force_login(bob)

    assert 'id="composer"' not in open_session(client, session)
    assert client.post(reverse("post", args=[session]), {"text": "me too"}).status_code == 403


def test_absent_and_misspelt_sessions_get_the_friendly_page(reader: Client) -> None:
    for path in (reverse("session", args=[UUID(int=1)]), "/s/none/", "/nowhere/"):
        page = reader.get(path)
        assert page.status_code == 404
        assert "There is nothing here" in page.content.decode()


def test_a_form_older_than_the_sign_in_keeps_what_was_typed(alice: User) -> None:
    reader = Client(enforce_csrf_checks=True)
    reader.force_login(alice)

    page = reader.post(reverse("begin"), {"text": "typed for an hour"})

    assert page.status_code == 403
    assert "typed for an hour" in page.content.decode()


def test_the_page_says_how_to_set_a_model(reader: Client) -> None:
    assert "CHAT_MODEL=" in reader.get(reverse("home")).content.decode()


def test_pages_load_nothing_that_is_not_ours(reader: Client, alice: User) -> None:
    page = reader.get(reverse("session", args=[create_session(alice)]))

    policy = page.headers["Content-Security-Policy"]
    assert "'unsafe" not in policy
    assert "default-src 'self'" in policy
    assert not re.search(r"\son\w+=|\sstyle=|(src|href)=\"(https?:)?//", visible(page.content.decode()))


def test_a_message_of_another_is_named(client: Client, alice: User, bob: User) -> None:
    session = with_participant(create_session(alice), bob)
    post_message(session, bob, "hello Alice")
    client.force_login(alice)

    assert ">Bob</" in visible(open_session(client, session))


def test_a_fault_of_ours_has_a_page_of_its_own(rf: RequestFactory) -> None:
    page = server_error(rf.get("/"))

    assert page.status_code == 500
    assert "Something broke on our side" in page.content.decode()


def test_a_page_of_long_messages_is_bounded_and_links_to_the_earlier(reader: Client, alice: User) -> None:
    session = create_session(alice)
    for number in range(25):  # 800 KB
        post = post_message(session, alice, f"Message-{number}. ".ljust(MESSAGE_CHARACTERS, "x"))
        runs.finish(claim_run(post.run), RunCompleted())

    page = open_session(reader, session)
    start = start_data(page)
    earlier = open_session(reader, session, before=str(start["from"]))

    assert start["older"]
    assert len(json.dumps(start)) < PAGE_BYTES
    assert "Message-24." in visible(page)
    assert "Message-5." not in visible(page)
    assert "Message-5." in visible(earlier)


def test_the_longest_message_fits_into_a_form(reader: Client, alice: User) -> None:
    session = create_session(alice)
    form = urlencode({"text": "😀" * MESSAGE_CHARACTERS})

    posted = reader.post(reverse("post", args=[session]), form, content_type="application/x-www-form-urlencoded")

    assert posted.status_code == 302
    assert len(form) < REQUEST_BODY_LIMIT
