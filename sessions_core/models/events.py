"""The log."""

from typing import ClassVar, Final

from django.db import models
from django.db.models import Func, Q
from django.db.models.functions import Cast
from typing_extensions import override

from sessions_core.models.fields import KeptJSONField
from sessions_core.models.sessions import Session
from sessions_core.protocol import run_states

# Of the tool calls of a Run, and what voids them.
CALL_KINDS: Final = ("run.restarted", "tool.called", "tool.failed", "tool.returned")
# Of a Message that is looked up by its id.
MESSAGE_KINDS: Final = ("message.posted", "message.dequeued", "run.steered", "message.started", "message.completed")
# Where a Message gets its place in the conversation, or a branch begins.
PLACING_KINDS: Final = ("message.posted", "message.started", "message.dequeued", "run.steered", "run.started")


class Event(models.Model):
    """One fact of the log. Immutable. `message_id` is set for the kinds that paging and compaction look up by Message. `size` is
    that of `data` in bytes: a read sums it to know where to stop, without fetching large values from their own pages (TOAST).
    """

    pk = models.CompositePrimaryKey("session_id", "seq")
    # Without a constraint, which would call a trigger for each row: the statement that inserts also updates the Session's row.
    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    seq = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=40)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=8)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=150)
    run_id = models.UUIDField(null=True)
    message_id = models.UUIDField(null=True)
    client_id = models.UUIDField(null=True)
    data = KeptJSONField()
    size = models.GeneratedField(
        expression=Func(Cast("data", models.TextField()), function="octet_length"),
        output_field=models.IntegerField(),
        db_persist=True,
    )

    class Meta:
        db_table = "event"
        indexes: ClassVar = [
            models.Index(
                fields=["session", "message_id", "seq"],
                condition=Q(kind__in=MESSAGE_KINDS),
                name="event_message",
            ),
            models.Index(
                fields=["session", "seq"],
                condition=Q(kind__in=PLACING_KINDS),
                name="event_boundary",
            ),
            models.Index(fields=["run_id", "seq"], condition=Q(kind="message.started"), name="event_run_message"),
            models.Index(fields=["run_id", "seq"], condition=Q(kind__in=CALL_KINDS), name="event_run_call"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(seq__gte=1), name="event_seq_from_1"),
            models.UniqueConstraint(
                fields=["session", "client_id"], condition=Q(client_id__isnull=False), name="event_once_per_command"
            ),
            models.UniqueConstraint(
                fields=["session", "message_id"], condition=Q(kind="message.completed"), name="event_message_ends_once"
            ),
            models.UniqueConstraint(
                fields=["session", "run_id"],
                condition=Q(kind__in=[f"run.{state}" for state in run_states.TERMINAL]),
                name="event_run_ends_once",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"
