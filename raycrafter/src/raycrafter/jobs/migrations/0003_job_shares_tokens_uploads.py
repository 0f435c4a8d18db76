"""Shares of jobs, what is known of tokens, uploads in pieces."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import raycrafter.jobs.models


class Migration(migrations.Migration):
    """New tables only: an older release works with them."""

    dependencies = (
        ("auth", "0012_alter_user_first_name_max_length"),
        ("jobs", "0002_sharing_and_retries"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("knox", "0009_extend_authtoken_field"),
    )

    operations = (
        migrations.CreateModel(
            name="AccessToken",
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
                ("name", models.CharField(blank=True, max_length=100)),
                ("read_only", models.BooleanField(default=False)),
                ("last_used", models.DateTimeField(blank=True, null=True)),
                (
                    "token",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="access",
                        to="knox.authtoken",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Upload",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=raycrafter.jobs.models.upload_id,
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("filename", models.CharField(max_length=255)),
                ("size", models.BigIntegerField(help_text="bytes")),
                (
                    "offset",
                    models.BigIntegerField(default=0, help_text="bytes that have arrived"),
                ),
                (
                    "pieces",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="their names in the media storage, in order",
                    ),
                ),
                (
                    "sha256",
                    models.CharField(
                        blank=True,
                        help_text="of the whole; announced, or found when it was whole",
                        max_length=64,
                    ),
                ),
                ("expires", models.DateTimeField()),
                (
                    "job",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="uploads",
                        to="jobs.job",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="uploads",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("expires",),
            },
        ),
        migrations.CreateModel(
            name="JobShare",
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
                (
                    "manage",
                    models.BooleanField(
                        default=False,
                        help_text="may also change the job, not only see it",
                    ),
                ),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="auth.group",
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="shares",
                        to="jobs.job",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(user__isnull=True, group__isnull=False)
                        | models.Q(user__isnull=False, group__isnull=True),
                        name="job_share_one_party",
                    ),
                    models.UniqueConstraint(fields=("job", "user"), name="job_share_user"),
                    models.UniqueConstraint(fields=("job", "group"), name="job_share_group"),
                ],
            },
        ),
    )
