"""The questions of Runs to people, and what reaches Runs from outside."""

from typing import ClassVar, Final, get_args

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from typing_extensions import override

from sessions_core.models.fields import choices
from sessions_core.models.runs import Run
from sessions_core.models.sessions import Session
from sessions_core.protocol import ids
from sessions_core.protocol.events import AskKind

ASK_KINDS: Final = get_args(AskKind)
ASK_STATES: Final = ("open", "answered", "closed")


class Ask(models.Model):
    """A question that a Run puts to people, under a `key` of its agent. `responders`: who may answer (`events.Responders`)."""

    id = models.UUIDField(primary_key=True, default=ids.new_ask, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="asks", db_index=False)
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=8, choices=choices(ASK_KINDS))
    title = models.CharField(max_length=500)
    schema = models.JSONField()
    responders = models.JSONField(null=True)
    call = models.CharField(max_length=200, blank=True, help_text="The tool call that an approval is about.")
    tool = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=8, choices=choices(ASK_STATES), default="open")
    end = models.CharField(max_length=9, blank=True, help_text="Why it was closed without an answer.")
    value = models.JSONField(null=True)
    message = models.UUIDField(null=True, help_text="What a person wrote instead of an answer.")
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    opened_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ask"
        indexes: ClassVar = [models.Index(fields=["expires_at"], condition=Q(state="open"), name="ask_to_expire")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "key"], name="ask_once"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True, end="")
                | Q(state="answered", closed_at__isnull=False, end="")
                | (Q(state="closed", closed_at__isnull=False) & ~Q(end="")),
                name="ask_closed_once",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.title} ({self.state})"


class Consent(models.Model):
    """In this Session the agent may use the tool unasked, as long as the tool's schema has this `digest`."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+", db_index=False)
    agent = models.CharField(max_length=64)
    tool = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    granted_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "consent"
        constraints: ClassVar = [models.UniqueConstraint(fields=["session", "agent", "tool"], name="consent_once")]

    @override
    def __str__(self) -> str:
        return f"{self.tool} for {self.agent}"


class Signal(models.Model):
    """A fact from outside for a Run. `consumed_by` is the key of the wait that has taken it."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="signals", db_index=False)
    name = models.CharField(max_length=100)
    value = models.JSONField(null=True)
    client_id = models.UUIDField()
    received_seq = models.PositiveBigIntegerField()
    consumed_by = models.CharField(max_length=200, null=True)  # noqa: DJ001  # absent is not empty

    class Meta:
        db_table = "signal"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "client_id"], name="signal_once"),
            models.UniqueConstraint(fields=["run", "name", "consumed_by"], name="signal_consumed_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["run", "name", "received_seq"], name="signal_of_run")]

    @override
    def __str__(self) -> str:
        return self.name
