"""The tables. Each has one writer: `log` writes Event and `Session.head`; in `services`, `sessions` writes Participant and the
rest of Session, `runs` Run, `workers` Worker, `devices` Device, and `tokens` ApiToken. `deletion` and `pruning` only remove rows.
"""

from collections.abc import Iterable
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, Q
from django.db.models.functions import Cast, Now
from typing_extensions import override

from sessions_core.protocol import ids, run_states
from sessions_core.protocol.events import ROLES
from sessions_core.protocol.frames import POLICIES
from sessions_core.protocol.run_states import RunState


def _choices(values: Iterable[str]) -> list[tuple[str, str]]:
    return [(value, value.capitalize()) for value in values]


class Session(models.Model):
    """A durable conversation. `head` is the seq of its newest Event; `epoch` changes when the log is restored from a backup."""

    id = models.UUIDField(primary_key=True, default=ids.new_session, editable=False)
    title = models.CharField(max_length=200, blank=True)
    agent = models.CharField(max_length=64, help_text="It answers, unless a post names another.")
    policy = models.CharField(max_length=16, choices=_choices(POLICIES), default="queue")
    epoch = models.PositiveIntegerField(db_default=1, editable=False)
    head = models.PositiveBigIntegerField(db_default=0, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    active_at = models.DateTimeField(db_default=Now(), editable=False, help_text="When something last happened in it.")
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)  # nobody sees it any more; its rows are being removed

    class Meta:
        db_table = "session"
        indexes: ClassVar = [
            models.Index(fields=["-active_at"], name="session_newest"),
            models.Index(fields=["deleted_at"], condition=Q(deleted_at__isnull=False), name="session_to_remove"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(epoch__gte=1), name="session_epoch_from_1"),
            models.CheckConstraint(condition=Q(policy__in=POLICIES), name="session_policy_known"),
        ]

    @override
    def __str__(self) -> str:
        return self.title or "Untitled"


class Participant(models.Model):
    """One user's membership in one Session. `read_seq` is the seq up to which the user has read, on any Device."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="participants", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=16, choices=_choices(ROLES))
    read_seq = models.PositiveBigIntegerField(db_default=0, editable=False)
    joined_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "participant"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "user"], name="participant_once"),
            models.UniqueConstraint(fields=["session"], condition=Q(role="owner"), name="participant_one_owner"),
            models.CheckConstraint(condition=Q(role__in=ROLES), name="participant_role_known"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class Device(models.Model):
    """One browser or app installation of one user. `key` is a uuid of its own making."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="devices", db_index=False)
    key = models.UUIDField(editable=False)
    label = models.CharField(max_length=100, blank=True)
    first_seen_at = models.DateTimeField(db_default=Now(), editable=False)
    last_seen_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "device"
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "key"], name="device_once")]

    @override
    def __str__(self) -> str:
        return self.label or str(self.key)


class Run(models.Model):
    """One execution of an agent in a Session. Only the attempt with the present `fence` may write. Its worker holds it until
    `lease_until`.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_run, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="runs", db_index=False)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="children")
    agent = models.CharField(max_length=64)
    replies_to = models.UUIDField(null=True, editable=False, help_text="The Message that it answers.")
    asked_seq = models.PositiveBigIntegerField(editable=False, help_text="Seq of the Event that requested it.")
    state = models.CharField(max_length=16, choices=_choices(RunState), default=run_states.INITIAL)
    attempt = models.PositiveIntegerField(default=0)
    attempt_seq = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="Seq of the Event that began the present attempt."
    )
    handed_back = models.PositiveIntegerField(default=0, help_text="Attempts that ended because a worker was stopped.")
    fence = models.PositiveBigIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True)
    woken_at = models.DateTimeField(db_default=Now(), help_text="When a worker was last woken for it.")
    cancel_requested_at = models.DateTimeField(null=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    requested_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    compacted_at = models.DateTimeField(null=True, help_text="When its deltas were deleted.")
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "run"
        indexes: ClassVar = [
            models.Index(fields=["session", "asked_seq"], name="run_of_session"),
            models.Index(
                fields=["session", "asked_seq"],
                condition=Q(state__in=run_states.ACTIVE),
                name="run_active",
            ),
            models.Index(
                fields=["ended_at"],
                condition=Q(ended_at__isnull=False, compacted_at__isnull=True),
                name="run_to_compact",
            ),
            # Without `lease_until`: an index of it would be written by every heartbeat, and few Runs are active.
            models.Index(fields=["state", "requested_at"], condition=Q(ended_at__isnull=True), name="run_to_sweep"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=[*RunState]),
                name="run_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state=RunState.RUNNING, lease_until__isnull=False)
                | (~Q(state=RunState.RUNNING) & Q(lease_until__isnull=True)),
                name="run_lease_while_running",
            ),
            models.CheckConstraint(
                condition=Q(state__in=run_states.ACTIVE, ended_at__isnull=True)
                | Q(state__in=run_states.TERMINAL, ended_at__isnull=False),
                name="run_ended_at_its_end",
            ),
            models.CheckConstraint(condition=Q(fence__gte=F("attempt")), name="run_fence_rises"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.agent} {self.state}"


class KeptJSONField(models.JSONField):
    """JSON in a column of type `json`, which keeps the text as it was written: a frame from the log has the same bytes as the
    hint. Lookups into the JSON do not work.
    """

    @override
    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "json"

    @override
    def from_db_value(self, value: object, expression: object, connection: BaseDatabaseWrapper) -> object:
        return value  # psycopg has parsed it already: Django prevents that for jsonb only


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
                condition=Q(kind__in=["message.posted", "message.started", "message.completed"]),
                name="event_message",
            ),
            models.Index(
                fields=["session", "seq"],
                condition=Q(kind__in=["message.posted", "message.started"]),
                name="event_boundary",
            ),
            models.Index(fields=["run_id", "seq"], condition=Q(kind="message.started"), name="event_run_message"),
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


class Worker(models.Model):
    """One worker process. It updates `seen_at` while it lives; the row of a worker that was killed stays as it is."""

    name = models.CharField(max_length=200, primary_key=True)
    agents = ArrayField(models.CharField(max_length=64))
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "worker"

    @override
    def __str__(self) -> str:
        return self.name


class ApiToken(models.Model):
    """A bearer token of one user. Only its SHA-256 is stored; `hint` is its beginning, so that people can tell tokens apart."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    label = models.CharField(max_length=100, blank=True)
    hint = models.CharField(max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    can_write = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_token"
        verbose_name = "API token"

    @override
    def __str__(self) -> str:
        return f"{self.hint}…"
