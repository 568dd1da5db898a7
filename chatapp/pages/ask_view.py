"""An Ask as the page shows it (static/js/ui/asks/wording.js)."""

from typing import Final

from msgspec import UNSET

from chatapp.pages.run_status import Reader
from chatapp.pages.wording import sentence, value_rows
from sessions_core.protocol.events import Responders
from sessions_core.protocol.timeline_types import Ask, Person

OWNER: Final = Responders(roles=("owner",))


def why_not(ask: Ask | None, reader: Reader) -> str:
    """Returns why this person cannot answer; empty where they can."""
    if ask is None or reader.may_answer(ask):
        return ""
    if ask.by is None:
        return sentence("ask_not_viewers")
    return sentence("ask_only_owner" if ask.by == OWNER else "ask_only_named")


def outcome(ask: Ask | None, reader: Reader) -> str:
    """Returns what became of the Ask; empty while it is open, and for the template of an Ask."""
    if ask is None:
        return ""
    match ask.state:
        case "open":
            return ""
        case "answered":
            return _answered(ask, reader)
        case "closed" if ask.reason == "declined":
            return _declined(ask, reader)
        case "closed":
            return sentence(f"ask_{ask.reason}")


def rows(ask: Ask | None) -> list[tuple[str, str]]:
    """Returns the answer, a row of name and text for each field; that of an approval stands in the outcome already."""
    if ask is None or ask.value is UNSET:
        return []
    if ask.kind == "approval" and isinstance(ask.value, dict):
        return value_rows(ask.value["input"]) if "input" in ask.value else []
    return value_rows(ask.value)


def _answered(ask: Ask, reader: Reader) -> str:
    name = _name(ask.answered_by, reader)
    verb = "ask_answered"
    if ask.kind == "approval" and isinstance(ask.value, dict):
        allowed = "ask_allowed_always" if ask.value.get("remember") is True else "ask_allowed"
        verb = allowed if ask.value.get("approve") is True else "ask_refused"
    said = sentence(verb, name=name)
    return sentence("ask_on_device", said=said, device=ask.device_label) if ask.device_label else said


def _declined(ask: Ask, reader: Reader) -> str:
    if ask.message:
        return sentence("ask_replied")
    if ask.closed_by is None:
        return sentence("ask_declined")
    return sentence("ask_declined_by", name=_name(ask.closed_by, reader))


def _name(person: Person | None, reader: Reader) -> str:
    if person is None:
        return ""
    return sentence("by_you") if person.id == reader.me else person.name
