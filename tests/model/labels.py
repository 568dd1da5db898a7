"""Labels for the ids of a Session, given as they appear in its log, and Events in the words of the model."""

from typing import Any, Final
from uuid import UUID

from sessions_core.models import Event
from tests.model.acts import Fact

# What of an Event counts, by its kind: fields of its data, `@` before one that holds an id or ids, and its Run. A flag that is
# absent is False.
_COUNTS: Final = {
    "message.posted": ("@message", "state"),
    "message.dequeued": ("@message", "reason"),
    "message.queued_edited": ("@message",),
    "message.started": ("run", "@message"),
    "message.delta": ("run", "@message"),
    "message.completed": ("run", "@message", "state"),
    "run.requested": ("@run",),
    "run.started": ("run", "attempt"),
    "run.restarted": ("run", "attempt", "@voided"),
    "run.steered": ("run", "@message", "consumed", "queued"),
    "run.waiting": ("run", "on"),
    "run.resumed": ("run", "on"),
    "run.cancel_requested": ("@runs",),
    "run.completed": ("run",),
    "run.cancelled": ("run",),
    "run.failed": ("run",),
    "run.interrupted": ("run",),
    "queue.paused": ("@run", "reason"),
    "ask.opened": ("run", "@ask"),
    "ask.answered": ("run", "@ask"),
    "ask.closed": ("run", "@ask", "reason"),
    "signal.received": ("run", "name"),
    "step.completed": ("run", "key", "result"),
}
_LAST: Final = UUID(int=2**128 - 1)


class Labels:
    """Knows the id of each label, and the label of each id."""

    def __init__(self) -> None:
        self._ids: dict[str, UUID] = {}
        self._labels: dict[UUID, str] = {}

    def name(self, label: str, id: UUID) -> None:
        self._ids[label] = id
        self._labels[id] = label

    def __deepcopy__(self, _: object) -> "Labels":
        return self

    def id(self, label: str) -> UUID:
        return self._ids[label]

    def place(self, label: str) -> UUID:
        """Returns where the id stands among others; the last place for what there is not."""
        return self._ids.get(label, _LAST)

    def knows(self, label: str) -> bool:
        return label in self._ids

    def of(self, said: object) -> Any:  # noqa: ANN401  # what it was given
        """Returns it with labels in place of ids."""
        if isinstance(said, UUID):
            return self._labels.get(said, str(said))
        if isinstance(said, set):
            return {self.of(each) for each in said}
        return tuple(self.of(each) for each in said) if type(said) is tuple else said

    def fact(self, event: Event) -> Fact:
        """Returns what the model says of the Event, and names what the Event brings into being."""
        data: dict[str, Any] = event.data
        if event.kind == "message.posted":
            self.name(data["parts"][0]["text"], UUID(data["message"]))
        if event.kind == "run.requested":
            message = self.of(UUID(data["replies_to"]))
            asked = sum(label.startswith(f"{message}/") and not {*label} & {*".?"} for label in self._ids)
            self.name(f"{message}/{asked + 1}", UUID(data["run"]))
        return (event.kind, *(self._value(event, data, field) for field in _COUNTS.get(event.kind, ())))

    def _value(self, event: Event, data: dict[str, Any], field: str) -> object:
        if field == "run":
            return self.of(event.run_id)
        value = data.get(field.removeprefix("@"), False)
        if not field.startswith("@"):
            return value
        return tuple(self.of(UUID(each)) for each in value) if isinstance(value, list) else self.of(UUID(value))
