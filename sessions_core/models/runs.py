"""Runs, the Messages that wait for one or are given to one, and the workers."""

from typing import ClassVar, Final, get_args

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from typing_extensions import override

from sessions_core.models.fields import choices
from sessions_core.models.sessions import Session
from sessions_core.protocol import ids, run_states
from sessions_core.protocol.events import WaitsOn
from sessions_core.protocol.run_states import RunState

WAITS_ON: Final = get_args(WaitsOn)


class Run(models.Model):
    """One execution of an agent in a Session. Only the attempt with the present `fence` may write. Its worker holds it until
    `lease_until`.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_run, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="runs", db_index=False)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="children")
    agent = models.CharField(max_length=64)
    replies_to = models.UUIDField(null=True, editable=False, help_text="The Message that it answers.")
    retry_of = models.UUIDField(null=True, editable=False, help_text="The first Run of the answer that it tries again.")
    asked_seq = models.PositiveBigIntegerField(editable=False, help_text="Seq of the Event that requested it.")
    state = models.CharField(max_length=16, choices=choices(RunState), default=run_states.INITIAL)
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
    queued = models.BooleanField(db_default=False, editable=False, help_text="Its Message waits in the queue.")
    waits_on = models.CharField(max_length=8, blank=True, db_default="", editable=False)
    waiting = models.JSONField(null=True, editable=False, help_text="What it waits for, as `run.waiting` says it.")
    resume_at = models.DateTimeField(
        null=True, editable=False, help_text="While it waits: from then on a worker may go on with it."
    )
    error = models.CharField(max_length=500, blank=True)
    error_code = models.CharField(max_length=64, blank=True, db_default="")
    exception_class = models.CharField(max_length=200, blank=True, db_default="")
    agent_version = models.PositiveIntegerField(
        null=True, editable=False, help_text="Of the agent's code, by which the Run was begun; absent: not begun yet."
    )
    worker_version = models.CharField(max_length=64, blank=True, db_default="")
    claimed_at = models.DateTimeField(null=True, help_text="When its worker began or went on with it.")
    worked_ms = models.PositiveBigIntegerField(db_default=0, help_text="At work until it was claimed last.")
    first_text_at = models.DateTimeField(null=True)
    step_count = models.PositiveIntegerField(db_default=0)
    requests = models.PositiveIntegerField(db_default=0, help_text="Calls of a model.")
    input_tokens = models.PositiveBigIntegerField(db_default=0)
    output_tokens = models.PositiveBigIntegerField(db_default=0)
    cached_tokens = models.PositiveBigIntegerField(db_default=0, help_text="Of the input, in the provider's cache.")
    estimated = models.BooleanField(db_default=False, help_text="A provider did not say all of the tokens.")
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True, help_text="Absent: not known.")

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
            models.Index(fields=["resume_at"], condition=Q(state=RunState.WAITING), name="run_to_resume"),
            models.Index(fields=["retry_of"], condition=Q(retry_of__isnull=False), name="run_retries"),
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
            models.CheckConstraint(
                condition=Q(queued=False) | Q(state=RunState.REQUESTED), name="run_queued_unstarted"
            ),
            models.CheckConstraint(
                condition=Q(state=RunState.WAITING, waits_on__in=WAITS_ON, waiting__isnull=False)
                | (~Q(state=RunState.WAITING) & Q(waits_on="", waiting__isnull=True, resume_at__isnull=True)),
                name="run_waits_on_something",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.agent} {self.state}"


class QueuedMessage(models.Model):
    """A posted Message that waits for its turn, with the Run that will answer it. The row goes when it is sent or withdrawn."""

    message = models.UUIDField(primary_key=True, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="+")
    parent = models.UUIDField(
        null=True, editable=False, help_text="What it follows; absent: the end of the active branch at its turn."
    )
    parts = models.JSONField()
    posted_seq = models.PositiveBigIntegerField(editable=False)

    class Meta:
        db_table = "queued_message"

    @override
    def __str__(self) -> str:
        return str(self.message)


class Steer(models.Model):
    """A Message given to a Run that works. The row goes when the Run has ended. `consumed_by`: the key of the agent's call that
    has taken it; a later attempt gets it by the same call.
    """

    message = models.UUIDField(primary_key=True, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")
    agent = models.CharField(max_length=64, help_text="It answers when the Run has ended first.")
    parts = models.JSONField()
    posted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    posted_seq = models.PositiveBigIntegerField(editable=False)
    consumed_by = models.CharField(max_length=200, null=True)  # noqa: DJ001  # absent is not empty

    class Meta:
        db_table = "steer"

    @override
    def __str__(self) -> str:
        return str(self.message)


class NeedlessStop(models.Model):
    """A Stop that found all its Runs being stopped already. It has appended no Event, so its answer is kept here for a repeat of
    it (P5).
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+", db_index=False)
    client_id = models.UUIDField()
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    seq = models.PositiveBigIntegerField(help_text="As it was answered.")
    runs = ArrayField(models.UUIDField())

    class Meta:
        db_table = "needless_stop"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "client_id", "given_by"], name="needless_stop_once"),
        ]

    @override
    def __str__(self) -> str:
        return str(self.client_id)


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
