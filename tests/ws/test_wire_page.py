"""docs/reference/wire.md names each frame, field, event kind, error code, close code and limit."""

from pathlib import Path
from typing import get_args

import pytest
from msgspec import Struct

from sessions_core.consumers.commands import LIMITS
from sessions_core.protocol import errors, frames
from sessions_core.protocol.events import KINDS
from sessions_core.protocol.frames import ClientFrame, ServerFrame

PAGE = (Path(__file__).parents[2] / "docs/reference/wire.md").read_text()


def refusals(of: type[errors.Refusal] = errors.Refusal) -> list[type[errors.Refusal]]:
    return [each for made in of.__subclasses__() for each in (made, *refusals(made))]


def tags(union: object) -> list[str]:
    return [frame.__struct_config__.tag for frame in get_args(union)]


@pytest.mark.parametrize("type", [*tags(ClientFrame), *tags(ServerFrame), "events"])
def test_it_has_each_frame_type(type: str) -> None:
    assert f"`{type}`" in PAGE


@pytest.mark.parametrize("frame", [*get_args(ClientFrame), *get_args(ServerFrame)])
def test_it_has_each_field(frame: type[Struct]) -> None:
    missing = [field for field in frame.__struct_fields__ if f"`{field}" not in PAGE]
    assert not missing


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_it_has_each_kind_of_event(kind: str) -> None:
    assert f"`{kind}`" in PAGE


@pytest.mark.parametrize("refusal", refusals())
def test_it_has_each_error_code(refusal: type[errors.Refusal]) -> None:
    assert f"`{refusal.code}`" in PAGE


@pytest.mark.parametrize("name", [name for name in dir(frames) if name.startswith("CLOSE_")])
def test_it_has_each_close_code(name: str) -> None:
    assert f"| {getattr(frames, name)} |" in PAGE


@pytest.mark.parametrize("limit", LIMITS)
def test_it_has_each_limit(limit: str) -> None:
    assert f"`{limit}`" in PAGE
