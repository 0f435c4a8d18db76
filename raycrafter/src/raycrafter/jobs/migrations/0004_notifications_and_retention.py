"""Notifications, extensions of workspaces that somebody asked for, deletion by age."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """New columns have defaults in the database: an older release works with them."""

    dependencies = (
        ("jobs", "0003_job_shares_tokens_uploads"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    )

    operations = (
        migrations.AddField(
            model_name="job",
            name="files_deleted",
            field=models.DateTimeField(blank=True, help_text="when the deletion of its files began", null=True),
        ),
        migrations.AddField(
            model_name="job",
            name="keep",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="its files and itself are not deleted by age",
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="warned",
            field=models.DateTimeField(
                blank=True,
                help_text="when its owner was told that its files will go",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="workspace",
            name="extension_asked_by",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="who waits for an extension",
                max_length=150,
            ),
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("key", models.CharField(max_length=250, unique=True)),
                ("kind", models.CharField(max_length=30)),
                (
                    "channel",
                    models.CharField(
                        choices=[("mail", "Mail"), ("webhook", "Webhook")],
                        max_length=10,
                    ),
                ),
                ("subject", models.CharField(max_length=300)),
                ("text", models.TextField()),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "next_try",
                    models.DateTimeField(
                        blank=True,
                        db_index=True,
                        default=django.utils.timezone.now,
                        null=True,
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("sent", models.DateTimeField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
                (
                    "job",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to="jobs.job",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        help_text="none: operators",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="NotificationChoice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("mail", models.BooleanField(default=True)),
                ("webhook", models.URLField(blank=True, max_length=500)),
                (
                    "salt",
                    models.CharField(blank=True, help_text="of the webhook's secret", max_length=64),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notification_choice",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    )
