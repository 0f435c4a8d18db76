"""How the site is shared; jobs that wait for others, are paused, or tried again."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Sharing and retries."""

    dependencies = (
        ("jobs", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    )

    operations = (
        migrations.CreateModel(
            name="Licence",
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
                ("renderer", models.CharField(max_length=50, unique=True)),
                ("count", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Site",
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
                    "name",
                    models.CharField(
                        help_text="as in the configuration: cluster.name",
                        max_length=50,
                        unique=True,
                    ),
                ),
                (
                    "paused",
                    models.BooleanField(
                        default=False,
                        help_text="nothing is submitted, and clients end after their frame",
                    ),
                ),
                (
                    "max_batches",
                    models.PositiveIntegerField(blank=True, help_text="in the batch system at once", null=True),
                ),
                (
                    "max_batches_per_user",
                    models.PositiveIntegerField(blank=True, help_text="at once, for each user", null=True),
                ),
                (
                    "max_frames_per_user",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="that one user may have waiting or in work",
                        null=True,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="job",
            name="after",
            field=models.ManyToManyField(
                blank=True,
                help_text="jobs that must be DONE first",
                related_name="before",
                to="jobs.job",
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="paused",
            field=models.BooleanField(
                default=False,
                help_text="nothing of it is begun, and clients end after their frame",
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="priority",
            field=models.PositiveSmallIntegerField(
                default=50, help_text="among its owner's jobs the highest comes first"
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="retried",
            field=models.DateTimeField(
                blank=True,
                help_text="when its failed frames were last asked for again",
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="AvoidedNode",
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
                ("site", models.CharField(max_length=50)),
                ("host", models.CharField(max_length=200)),
                ("until", models.DateTimeField()),
                ("reason", models.TextField(blank=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("site", "host"), name="avoided_node_host")],
            },
        ),
        migrations.CreateModel(
            name="Share",
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
                    "weight",
                    models.PositiveSmallIntegerField(default=1, help_text="2 has twice the batches of 1; 0 has none"),
                ),
                (
                    "max_batches",
                    models.PositiveIntegerField(blank=True, help_text="instead of the site's", null=True),
                ),
                (
                    "max_frames",
                    models.PositiveIntegerField(blank=True, help_text="instead of the site's", null=True),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="share",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Lease",
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
                ("host", models.CharField(max_length=200)),
                ("taken", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires", models.DateTimeField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="leases",
                        to="jobs.batch",
                    ),
                ),
                (
                    "licence",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="leases",
                        to="jobs.licence",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("licence", "batch", "host"), name="lease_client")],
            },
        ),
    )
