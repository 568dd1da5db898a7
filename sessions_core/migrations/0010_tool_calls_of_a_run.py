from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_core", "0009_queued_messages_begin_when_sent"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("kind__in", ("run.restarted", "tool.called", "tool.failed", "tool.returned"))),
                fields=["run_id", "seq"],
                name="event_run_call",
            ),
        ),
    ]
