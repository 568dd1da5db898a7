"""A model's provider that fails in each of its ways: the Run ends with a sentence, keeps what was said, and harms no other."""

from typing import Final

import msgspec
import pytest
from msgspec import Struct

from tests.faults import conversations
from tests.faults.conftest import Play
from tests.faults.rounds import Scale
from tests.faults.system import MODEL_KEY, Person, System
from tests.faults.truth import Truth, dump
from tests.support.fake_provider import Provider
from tests.support.scripts import script
from tests.support.waiting import eventually

REQUESTS: Final = 2  # for one answer at most: the client tries once more before the first token
FEW: Final = Scale(people=5, tabs=1, sessions=2)


class Failing(Struct, frozen=True):
    """What the provider is told to do (`Order`), the code with which the Run fails, and what is left of the answer."""

    order: str
    code: str
    left: str | None


FAULTS: Final = {
    "stalls": Failing(script(words=20, wait_at=3), "model_timeout", "w1 w2 w3"),
    "sends 500": Failing(script(status=500), "model_error", None),
    # Of the last character only the first half comes.
    "cuts in mid-word": Failing(script(words=20, raw="caf\\ud83d", cut_after=1), "model_cut", "caf"),
    "never sends a first token": Failing(script(wait_at=0), "model_timeout", None),
}


@pytest.mark.usefixtures("second_worker")  # it does not wait long for a model
async def test_a_provider_that_fails_ends_its_run_alone(
    world: System, people: list[Person], play: Play, provider: Provider
) -> None:
    world.worker.end()
    failing = await conversations.create(world, people, count=len(FAULTS))
    async with play(f"a provider that {', '.join(FAULTS)}", FEW) as round:
        round.provider = provider
        await round.in_mid_stream(seconds=2)
        round.sessions += failing
        for session, fault in zip(failing, FAULTS.values(), strict=True):
            await conversations.ask(world, people[0], session, fault.order, agent="assistant")
        await eventually(lambda: not conversations.active(world, failing), blocking=True)
        await round.healed()
    ended = [conversations.runs(world, [session]).popitem()[1] for session in failing]
    assert [(run.state, run.error_code, run.attempt) for run in ended] == [
        ("failed", f.code, 1) for f in FAULTS.values()
    ]
    truths = dump(world.database_url, failing)
    assert [_left(truths[session]) for session in failing] == [fault.left for fault in FAULTS.values()]
    assert MODEL_KEY not in msgspec.json.encode([truth.rows for truth in truths.values()]).decode()
    assert provider.calls_per_step <= REQUESTS


def _left(truth: Truth) -> str | None:
    """Returns the text of the answer that is not whole."""
    ended = [row.data for row in truth.facts if row.kind == "message.completed"]
    assert {message["state"] for message in ended} <= {"failed"}
    return ended[0]["parts"][0]["text"] if ended and ended[0]["parts"] else None
