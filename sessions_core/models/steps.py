"""What later attempts and later Runs find again: results of Steps, and the state of agents."""

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from typing_extensions import override

from sessions_core.models.fields import KeptJSONField
from sessions_core.models.runs import Run
from sessions_core.models.sessions import Session
from sessions_core.protocol.step_keys import SUMMARY


class Blob(models.Model):
    """The bytes of a result that is too large for a row of its own kind."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    data = models.BinaryField()

    class Meta:
        db_table = "blob"

    @override
    def __str__(self) -> str:
        return str(self.id)


class Step(models.Model):
    """A unit of work of a Run, under a `key` of its agent. Begun by an attempt; a later one reads the result. `digest` is that of
    its input; `result` is JSON, in `blob` when it is large.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps", db_index=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    ordinal = models.PositiveIntegerField(help_text="The place among the steps of the Run, from 1.")
    digest = models.CharField(max_length=64, blank=True)
    once = models.BooleanField(db_default=False, help_text="It must not be done twice.")
    fence = models.PositiveBigIntegerField(help_text="Of the attempt that began it.")
    result = KeptJSONField(null=True)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, null=True, related_name="+")
    size = models.PositiveIntegerField(null=True, help_text="Bytes of the result's JSON.")
    failed = models.BooleanField(db_default=False, help_text="Its result is the error that it has ended with.")
    begun_at = models.DateTimeField(db_default=Now())
    completed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "step"
        indexes: ClassVar = [
            models.Index(fields=["session", "key"], condition=Q(key__startswith=SUMMARY), name="step_summary")
        ]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "key"], name="step_once")]

    @override
    def __str__(self) -> str:
        return self.key


class AgentState(models.Model):
    """What an agent keeps in a Session from Run to Run."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+", db_index=False)
    agent = models.CharField(max_length=64)
    value = KeptJSONField(help_text="By the agent's own names.")
    saved_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "agent_state"
        constraints: ClassVar = [models.UniqueConstraint(fields=["session", "agent"], name="agent_state_once")]

    @override
    def __str__(self) -> str:
        return self.agent
