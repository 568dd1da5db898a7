"""Sessions and who takes part in them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from typing_extensions import override

from sessions_core.models.fields import choices
from sessions_core.protocol import ids
from sessions_core.protocol.events import ROLES
from sessions_core.protocol.frames import POLICIES


class Session(models.Model):
    """A durable conversation. `head` is the seq of its newest Event; `epoch` changes when the log is restored from a backup."""

    id = models.UUIDField(primary_key=True, default=ids.new_session, editable=False)
    title = models.CharField(max_length=200, blank=True)
    agent = models.CharField(max_length=64, help_text="It answers, unless a post names another.")
    policy = models.CharField(max_length=16, choices=choices(POLICIES), default="queue")
    epoch = models.PositiveIntegerField(db_default=1, editable=False)
    head = models.PositiveBigIntegerField(db_default=0, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    active_at = models.DateTimeField(db_default=Now(), editable=False, help_text="When something last happened in it.")
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)  # nobody sees it any more; its rows are being removed
    queue_paused_seq = models.PositiveBigIntegerField(
        null=True, editable=False, help_text="Seq of the Event since which no queued Message is taken."
    )

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
    role = models.CharField(max_length=16, choices=choices(ROLES))
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
