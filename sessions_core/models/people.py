"""What users bring along: their Devices and tokens."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from typing_extensions import override


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
