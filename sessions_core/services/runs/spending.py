"""What a Run has spent, in the columns of its row."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec
from django.db.models import F
from django.db.models.functions import Coalesce

from sessions_core.models import Run
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.spent import Spent

# For many Runs in one statement. A first text is told by the time since the claim: the clock of the row counts alone.
GIVEN: Final = """json_to_recordset(%(held)s::json) AS held(
    id uuid, fence bigint, steps int, requests int, input_tokens bigint, output_tokens bigint, cached_tokens bigint,
    cost_usd numeric, estimated bool, first_text_s float)"""
ASSIGNMENTS: Final = """
    step_count = live.steps, requests = live.requests, input_tokens = live.input_tokens, output_tokens = live.output_tokens,
    cached_tokens = live.cached_tokens, cost_usd = live.cost_usd, estimated = live.estimated,
    first_text_at = coalesce(run.first_text_at, run.claimed_at + live.first_text_s * interval '1 second')"""


def given(claims: Sequence[Claim], spent: Sequence[Spent]) -> str:
    """Returns the parameter of GIVEN."""
    rows = [
        {"id": claim.run, "fence": claim.fence, **msgspec.structs.asdict(each)}
        for claim, each in zip(claims, spent, strict=True)
    ]
    return msgspec.json.encode(rows).decode()


def note(run: Run, spent: Spent | None) -> None:
    """Writes what the Run has spent into its row, which the caller has locked; nothing when it is not known."""
    if spent is None:
        return
    for name, value in _columns(spent).items():
        setattr(run, name, value)
    first_text = {}
    if spent.first_text_s is not None:
        since = timedelta(seconds=spent.first_text_s)
        first_text = {"first_text_at": Coalesce("first_text_at", F("claimed_at") + since)}
    Run.objects.filter(pk=run.pk).update(**_columns(spent), **first_text)


def of(run: Run) -> Spent:
    """Returns what the row says."""
    return Spent(
        steps=run.step_count,
        requests=run.requests,
        input_tokens=run.input_tokens,
        output_tokens=run.output_tokens,
        cached_tokens=run.cached_tokens,
        cost_usd=None if run.cost_usd is None else float(run.cost_usd),
        estimated=run.estimated,
    )


def _columns(spent: Spent) -> dict[str, Any]:
    return {
        "step_count": spent.steps,
        "requests": spent.requests,
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "cached_tokens": spent.cached_tokens,
        "cost_usd": spent.cost_usd,
        "estimated": spent.estimated,
    }
