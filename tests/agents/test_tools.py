"""`@tool`: what may be one, what a model is shown of it, and the people who approve its calls."""

from collections.abc import Callable
from typing import Any

import pytest

from agents.sdk import AgentRun, tool
from agents.sdk.tool import BadTool
from sessions_core import bridge
from sessions_core.models import Ask
from sessions_core.protocol.events import AskOpened, ConsentGranted, RunWaiting, ToolCalled
from sessions_core.protocol.ids import AskId
from sessions_core.services import asks
from tests.agents.facts import of_kind, words
from tests.agents.tooled import Tooled, answer_of, calls_of
from tests.db.acts import new_client_id
from tests.support.fake_provider import Provider


@tool(approve=True, title="Delete notes")
async def delete(run: AgentRun, ids: list[int]) -> list[int]:
    """Deletes notes.

    Args:
        ids: The notes to delete.
    """
    return ids


def test_a_tool_is_described_by_its_function() -> None:
    from agents.provider import schema

    shown = schema.definition(delete)

    assert (shown.name, shown.description) == ("delete", "Deletes notes.")
    assert shown.parameters_json_schema["properties"] == {
        "ids": {"description": "The notes to delete.", "items": {"type": "integer"}, "type": "array"}
    }
    assert shown.parameters_json_schema["required"] == ["ids"]


async def nothing_said(run: AgentRun) -> None: ...


async def untyped(run: AgentRun, ids) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Does something."""


async def many(run: AgentRun, *ids: int) -> None:
    """Does something."""


async def no_run() -> None:
    """Does something."""


async def answerless(run: AgentRun) -> None:
    """Does something."""


def blocking(run: AgentRun) -> None:
    """Does something."""


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (nothing_said, "has no docstring"),
        (untyped, "has no type"),
        (many, "a model passes arguments by name"),
        (no_run, "does not take the Run"),
        (blocking, "is not `async def`"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_with_a_sentence(function: Callable[..., Any], sentence: str) -> None:
    with pytest.raises(BadTool, match=sentence):
        tool(function)


def test_a_tool_takes_some_time() -> None:
    with pytest.raises(BadTool, match="more than 0 seconds"):
        tool(timeout=0)(answerless)


class Approving(Tooled):
    """Alice answers what she is asked, and the Run goes on."""

    async def open_asks(self) -> list[AskOpened]:
        return await bridge.run(of_kind, self.session, AskOpened)

    async def approve(self, ask: AskId, **value: object) -> None:
        await bridge.run(asks.answer, self.session, ask, by=self.owner, client_id=new_client_id(), value=value)

    async def decline(self, ask: AskId) -> None:
        await bridge.run(asks.decline, self.session, ask, by=self.owner, client_id=new_client_id())


@pytest.fixture
def approving(tooled: Tooled) -> Approving:
    return Approving(tooled.session, tooled.owner)


def result(provider: Provider) -> object:
    return provider.seen[-1].prompt[-1]["content"]


@pytest.mark.django_db(transaction=True)
async def test_all_calls_of_an_answer_are_asked_about_at_once_and_no_worker_is_held(
    approving: Approving, provider: Provider
) -> None:
    log = await approving.use(delete, rounds=[calls_of("delete", "delete", ids=[1])], say=2, words=3)

    assert isinstance(log[-1], RunWaiting)
    one, two = await approving.open_asks()
    assert {one.call, two.call} == {call.id for call in await approving.calls()}
    assert one.ask_kind == "approval"
    assert one.default == {"ids": [1]}

    await approving.approve(one.ask, approve=True)
    await approving.approve(two.ask, approve=True, input={"ids": [2]})
    log = await approving.execute(approving.run)

    assert sorted(str(call.output) for call in await approving.calls()) == ["[1]", "[2]"]
    assert answer_of(log) == "s1 s2" + words(3)
    assert provider.calls_per_step == 1
    assert len([fact for fact in log if isinstance(fact, ToolCalled)]) == 2


@pytest.mark.django_db(transaction=True)
async def test_the_model_is_told_that_a_person_has_declined(approving: Approving, provider: Provider) -> None:
    await approving.use(delete, rounds=[calls_of("delete", ids=[1])])
    (ask,) = await approving.open_asks()
    await approving.decline(ask.ask)

    await approving.execute(approving.run)

    assert "did not allow" in str(result(provider))
    assert [call.state for call in await approving.calls()] == ["failed"]


@pytest.mark.django_db(transaction=True)
async def test_a_consent_that_is_remembered_is_not_asked_for_again(approving: Approving) -> None:
    await approving.use(delete, rounds=[calls_of("delete", ids=[1])])
    (ask,) = await approving.open_asks()
    await approving.approve(ask.ask, approve=True, remember=True)
    await approving.execute(approving.run)

    log = await approving.use(delete, rounds=[calls_of("delete", ids=[2])])

    assert log[-1].kind == "run.completed"
    assert len([fact for fact in log if isinstance(fact, ConsentGranted)]) == 1
    assert await bridge.run(Ask.objects.count) == 1


@pytest.mark.django_db(transaction=True)
async def test_a_tool_may_look_at_the_arguments_before_it_asks(approving: Approving) -> None:
    def are_many(run: AgentRun, ids: list[int]) -> bool:
        return len(ids) > 1

    @tool(approve=are_many)
    async def remove(run: AgentRun, ids: list[int]) -> int:
        """Removes notes."""
        return len(ids)

    log = await approving.use(remove, rounds=[calls_of("remove", ids=[1])])
    assert log[-1].kind == "run.completed"

    log = await approving.use(remove, rounds=[calls_of("remove", ids=[1, 2])])
    assert log[-1].kind == "run.waiting"


@pytest.mark.django_db(transaction=True)
async def test_a_tool_may_ask_for_an_approval_itself(approving: Approving, provider: Provider) -> None:
    from pydantic_ai.exceptions import ApprovalRequired

    @tool
    async def remove(run: AgentRun, ids: list[int]) -> list[int]:
        """Removes notes."""
        if not run.approved:
            raise ApprovalRequired
        return ids

    await approving.use(remove, rounds=[calls_of("remove", ids=[1])])
    (ask,) = await approving.open_asks()
    await approving.approve(ask.ask, approve=True, input={"ids": [7]})

    await approving.execute(approving.run)

    assert [call.output for call in await approving.calls()] == [[7]]


@pytest.mark.django_db(transaction=True)
async def test_of_a_call_that_was_cut_off_the_model_is_told_that_nobody_knows(
    approving: Approving, provider: Provider
) -> None:
    done: list[str] = []

    @tool
    async def send(run: AgentRun) -> None:
        """Sends a letter."""
        done.append(run.key)

    run = await approving.request_use(send, rounds=[calls_of("send")])
    assert await approving.lose_worker(run, 3, "before")

    await approving.execute(run)

    assert len(done) == 1
    assert "it is not known whether" in str(result(provider))
    assert [(call.state, call.unknown) for call in await approving.calls()] == [("failed", True)]


@pytest.mark.django_db(transaction=True)
async def test_a_person_decides_whether_a_call_that_was_cut_off_is_made_again(
    approving: Approving, provider: Provider
) -> None:
    await approving.use(delete, rounds=[calls_of("delete", ids=[1])])
    (ask,) = await approving.open_asks()
    await approving.approve(ask.ask, approve=True)
    assert await approving.lose_worker(approving.run, 2, "before")  # the call has begun, and its result is not kept

    log = await approving.execute(approving.run)
    assert log[-1].kind == "run.waiting"
    (_, again) = await approving.open_asks()
    assert "Do it again?" in again.title
    await approving.approve(again.ask, approve=True)
    await approving.execute(approving.run)

    assert [call.output for call in await approving.calls()] == [[1]]
