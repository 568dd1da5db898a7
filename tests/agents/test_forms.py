"""Forms of questions: JSON Schema, choices, and models of pydantic and msgspec; the answer comes in their type."""

from datetime import date
from typing import Final

import pytest
from msgspec import Struct
from pydantic import BaseModel

from agents.sdk import AgentRun
from agents.sdk.forms import Form
from sessions_core.protocol.errors import BadAnswer
from sessions_core.protocol.events import (
    AskOpened,
)
from tests.agents.facts import among
from tests.agents.harness import Harness

pytestmark = pytest.mark.django_db(transaction=True)


class Note(BaseModel):
    text: str
    due: date | None = None


class Place(Struct):
    city: str
    people: int = 1


TEA: Final = {"text": "tea", "due": "2026-02-01"}


@pytest.mark.parametrize(
    ("form", "default", "shown", "answer", "expected"),
    [
        (Note, Note(text="milk"), {"text": "milk", "due": None}, TEA, Note(text="tea", due=date(2026, 2, 1))),
        (Note, Note(text="tea", due=date(2026, 2, 1)), TEA, {"text": "milk"}, Note(text="milk")),
        (Place, Place("Rome"), {"city": "Rome", "people": 1}, {"city": "Bonn"}, Place("Bonn")),
        (Place, {"city": "Rome"}, {"city": "Rome"}, {"city": "Bonn", "people": 2}, Place("Bonn", 2)),
        ({"type": "integer"}, 3, 3, 4, 4),
        (["a", "b"], "a", "a", "b", "b"),
    ],
)
async def test_a_form_may_be_a_model_and_so_may_what_fills_it_in(  # noqa: PLR0917  # columns of the table
    harness: Harness, form: Form, default: object, shown: object, answer: object, expected: object
) -> None:
    answers: list[object] = []

    async def agent(run: AgentRun) -> None:
        answers.append(await run.ask(form, "Which?", default=default))

    log = await harness.ask(agent)
    assert [fact.default for fact in among(log, AskOpened)] == [shown]
    await harness.answer_ask(shown)  # whatever fills the form in fits it
    await harness.go_on()
    await harness.ask(agent)
    await harness.answer_ask(answer)
    await harness.go_on()

    assert answers == [Place("Rome") if form is Place else default, expected]


@pytest.mark.parametrize("value", [{"text": 1}, {}, "tea"])
async def test_an_answer_that_does_not_fit_a_model_is_refused(harness: Harness, value: object) -> None:
    async def agent(run: AgentRun) -> None:
        await run.ask(Note, "Which?")

    await harness.ask(agent)

    with pytest.raises(BadAnswer):
        await harness.answer_ask(value)
