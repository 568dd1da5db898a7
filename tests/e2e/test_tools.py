"""A tool call shows what it waits for, what it does, and what it was given and has given."""

from playwright.sync_api import expect

from sessions_core import log
from sessions_core.protocol.events import (
    Actor,
    AskAnswered,
    AskOpened,
    Fact,
    MessagePosted,
    Part,
    RunRequested,
    RunStarted,
    ToolCalled,
    ToolFailed,
    ToolProgressed,
    ToolReturned,
)
from sessions_core.protocol.ids import RunId, SessionId, new_ask, new_message, new_run
from tests.e2e.conftest import PageOf
from tests.e2e.people import Person
from tests.e2e.screen import Screen

AGENT = Actor(kind="agent", id="script", name="Script")


def begun(session: SessionId, person: Person) -> RunId:
    """Writes a Run at work into the log, without a worker."""
    run, message = new_run(), new_message()
    post = MessagePosted(
        message=message,
        parent=None,
        role="user",
        parts=(Part("text", "Who is it?"),),
        client_id=None,
        state="sent",
        device=None,
    )
    log.append(session, [post], actor=person.author.actor)
    requested = RunRequested(run=run, agent="script", parent=None, replies_to=message)
    log.append(session, [requested, RunStarted(attempt=1)], actor=AGENT, run=run)
    return run


def see_states(screen: Screen, *states: str) -> None:
    expect(screen.page.locator(".tool-call__state")).to_have_text(states)


def test_a_tool_call_is_followed_live_and_is_the_same_after_a_reload(page_of: PageOf, alice: Person) -> None:
    session = alice.session()
    laptop = page_of(alice).open(session)
    run, ask = begun(session, alice), new_ask()

    def write(*facts: Fact) -> None:
        log.append(session, facts, actor=AGENT, run=run)

    write(ToolCalled(call="c1", name="find", input={"name": "Bob"}))
    see_states(laptop, "at work")
    write(AskOpened(ask=ask, title="find", schema={"type": "object"}, ask_kind="approval", call="c1"))
    see_states(laptop, "waits until it is allowed")
    answer = AskAnswered(ask=ask, value={"approve": True}, by=str(alice.user.pk), device=None)
    log.append(session, [answer], actor=alice.author.actor, run=run)
    write(ToolProgressed(call="c1", label="Reading", done=2, total=3))
    see_states(laptop, "Reading · 2/3")
    write(ToolReturned(call="c1", output={"town": "Porto"}))
    write(ToolCalled(call="c2", name="call", input={}), ToolFailed(call="c2", error="Bob does not answer."))
    see_states(laptop, "done", "failed")

    laptop.page.locator(".tool-call summary").first.click()
    laptop.see('"name": "Bob"').see('"town": "Porto"')
    write(ToolCalled(call="c3", name="walk", input={}))
    see_states(laptop, "done", "failed", "at work")
    laptop.see('"town": "Porto"')  # it stays unfolded

    laptop.reload()
    see_states(laptop, "done", "failed", "at work")
    laptop.live()
    see_states(laptop, "done", "failed", "at work")
    laptop.page.locator(".tool-call summary").nth(1).click()
    laptop.see("Bob does not answer.")
