"""The tables of release 0.1.0."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import raycrafter.jobs.models.batches
import raycrafter.jobs.models.frames
import raycrafter.jobs.models.jobs
import raycrafter.jobs.models.uploads


class Migration(migrations.Migration):
    """All models."""

    initial = True

    dependencies = (
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("knox", "0009_extend_authtoken_field"),
    )

    operations = (
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.CharField(max_length=50)),
                (
                    "name",
                    models.CharField(default=raycrafter.jobs.models.batches.batch_name, max_length=15, unique=True),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("CREATED", "Created"),
                            ("SUBMITTING", "Submitting"),
                            ("SUBMIT_UNKNOWN", "Submit Unknown"),
                            ("QUEUED", "Queued"),
                            ("RUNNING", "Running"),
                            ("ENDING", "Ending"),
                            ("FINISHED", "Finished"),
                            ("LOST", "Lost"),
                            ("CANCELLING", "Cancelling"),
                            ("CANCELLED", "Cancelled"),
                        ],
                        db_index=True,
                        default="CREATED",
                        max_length=20,
                    ),
                ),
                ("state_reason", models.TextField(blank=True)),
                (
                    "native_id",
                    models.CharField(blank=True, help_text="what the submission answered", max_length=100, null=True),
                ),
                (
                    "native_client_id",
                    models.CharField(
                        blank=True,
                        help_text="what the first client that claimed calls its batch job",
                        max_length=100,
                        null=True,
                    ),
                ),
                ("client_host", models.CharField(blank=True, max_length=200)),
                ("directory", models.CharField(blank=True, help_text="on the cluster", max_length=500)),
                ("script_sha256", models.CharField(blank=True, max_length=64)),
                ("token_hash", models.CharField(blank=True, max_length=64, null=True, unique=True)),
                (
                    "token_expires",
                    models.DateTimeField(blank=True, help_text="set when a client first claims", null=True),
                ),
                ("walltime_seconds", models.PositiveIntegerField()),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
                ("submitted", models.DateTimeField(blank=True, null=True)),
                ("started", models.DateTimeField(blank=True, null=True)),
                ("finished", models.DateTimeField(blank=True, null=True)),
                ("last_heartbeat", models.DateTimeField(blank=True, null=True)),
                (
                    "last_seen",
                    models.DateTimeField(blank=True, help_text="in an answer of the batch system", null=True),
                ),
                (
                    "absent_polls",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="good answers of the batch system in a row without it"
                    ),
                ),
                ("exit_status", models.IntegerField(blank=True, null=True)),
                ("finish_reason", models.CharField(blank=True, help_text="the client's last word", max_length=200)),
            ],
            options={"verbose_name_plural": "batches", "ordering": ("pk",)},
        ),
        migrations.CreateModel(
            name="Licence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("renderer", models.CharField(max_length=50, unique=True)),
                ("count", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Site",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(help_text="as in the configuration: cluster.name", max_length=50, unique=True),
                ),
                (
                    "paused",
                    models.BooleanField(
                        default=False, help_text="nothing is submitted, and clients end after their frame"
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
                        blank=True, help_text="that one user may have waiting or in work", null=True
                    ),
                ),
                (
                    "proxy_ends",
                    models.DateTimeField(
                        editable=False,
                        help_text="the grid proxy of the worker that looked last; empty: it cannot be read",
                        null=True,
                    ),
                ),
                ("proxy_seen", models.DateTimeField(editable=False, help_text="when that worker looked", null=True)),
                (
                    "timeouts_checked",
                    models.DateTimeField(
                        editable=False, help_text="when timeouts of clients were last checked", null=True
                    ),
                ),
                (
                    "heard_since",
                    models.DateTimeField(
                        editable=False, help_text="since when, without a break, clients could be heard", null=True
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AccessToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(blank=True, max_length=100)),
                ("read_only", models.BooleanField(default=False)),
                ("last_used", models.DateTimeField(blank=True, null=True)),
                (
                    "token",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="access", to="knox.authtoken"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="BlockedNode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.CharField(max_length=50)),
                ("host", models.CharField(max_length=200)),
                ("until", models.DateTimeField()),
                ("reason", models.TextField(blank=True)),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("site", "host"), name="blocked_node_host")]},
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("renderer", models.CharField(max_length=50)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("NEW", "New"),
                            ("STAGING", "Staging"),
                            ("READY", "Ready"),
                            ("ACTIVE", "Active"),
                            ("STAGING_OUT", "Staging Out"),
                            ("DONE", "Done"),
                            ("FAILED", "Failed"),
                            ("CANCELLING", "Cancelling"),
                            ("CANCELLED", "Cancelled"),
                        ],
                        db_index=True,
                        default="NEW",
                        max_length=20,
                    ),
                ),
                ("state_reason", models.TextField(blank=True)),
                ("scene", models.FileField(max_length=300, upload_to=raycrafter.jobs.models.jobs.scene_path)),
                ("scene_size", models.BigIntegerField(default=0, help_text="bytes")),
                ("scene_sha256", models.CharField(blank=True, max_length=64)),
                (
                    "main",
                    models.CharField(help_text="the file to render, relative to the unpacked scene", max_length=500),
                ),
                ("frames_spec", models.CharField(max_length=500)),
                ("frame_count", models.PositiveIntegerField()),
                ("width", models.PositiveIntegerField(help_text="pixels")),
                ("height", models.PositiveIntegerField(help_text="pixels")),
                ("options", models.JSONField(blank=True, default=dict)),
                ("max_tries", models.PositiveSmallIntegerField(default=3)),
                (
                    "priority",
                    models.PositiveSmallIntegerField(
                        default=50, help_text="among its owner's jobs the highest comes first"
                    ),
                ),
                (
                    "paused",
                    models.BooleanField(
                        default=False, help_text="nothing of it is begun, and clients end after their frame"
                    ),
                ),
                (
                    "retried",
                    models.DateTimeField(
                        blank=True, help_text="when its failed frames were last asked for again", null=True
                    ),
                ),
                ("idempotency_key", models.CharField(blank=True, max_length=200, null=True)),
                ("created", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ("started", models.DateTimeField(blank=True, null=True)),
                ("finished", models.DateTimeField(blank=True, null=True)),
                (
                    "keep",
                    models.BooleanField(
                        db_default=False, default=False, help_text="its files and itself are not deleted by age"
                    ),
                ),
                (
                    "warned",
                    models.DateTimeField(
                        blank=True, help_text="when its owner was notified of the deletion", null=True
                    ),
                ),
                (
                    "files_deleted",
                    models.DateTimeField(blank=True, help_text="when the deletion of its files began", null=True),
                ),
                (
                    "after",
                    models.ManyToManyField(
                        blank=True, help_text="jobs that must be DONE first", related_name="before", to="jobs.job"
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="jobs", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"ordering": ("-pk",)},
        ),
        migrations.CreateModel(
            name="Frame",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("WAITING", "Waiting"),
                            ("CLAIMED", "Claimed"),
                            ("RUNNING", "Running"),
                            ("RENDERED", "Rendered"),
                            ("SYNCED", "Synced"),
                            ("SOFT_FAILED", "Soft Failed"),
                            ("FAILED", "Failed"),
                            ("CANCELLED", "Cancelled"),
                        ],
                        default="WAITING",
                        max_length=20,
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0, help_text="attempts that ended in failure")),
                ("percent", models.FloatField(default=0.0)),
                ("seconds", models.FloatField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
                (
                    "outputs",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="what the client reported: [{path on the cluster, size in bytes, sha256}]",
                    ),
                ),
                (
                    "file",
                    models.FileField(blank=True, max_length=300, upload_to=raycrafter.jobs.models.frames.frame_path),
                ),
                ("file_size", models.BigIntegerField(blank=True, help_text="bytes", null=True)),
                ("file_sha256", models.CharField(blank=True, max_length=64)),
                (
                    "thumbnail",
                    models.BooleanField(db_default=False, default=False, help_text="a small copy lies beside the file"),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="frames",
                        to="jobs.batch",
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="frames", to="jobs.job"
                    ),
                ),
            ],
            options={"ordering": ("job", "number")},
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "seq",
                    models.PositiveBigIntegerField(
                        blank=True, help_text="the client's own number; none for the server's", null=True
                    ),
                ),
                ("time", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "level",
                    models.PositiveSmallIntegerField(
                        choices=[(10, "DEBUG"), (20, "INFO"), (30, "WARNING"), (40, "ERROR")], default=20
                    ),
                ),
                (
                    "actor",
                    models.CharField(
                        choices=[
                            ("user", "User"),
                            ("operator", "Operator"),
                            ("service", "Service"),
                            ("client", "Client"),
                        ],
                        default="service",
                        max_length=10,
                    ),
                ),
                ("kind", models.CharField(max_length=50)),
                ("message", models.TextField(blank=True)),
                ("data", models.JSONField(blank=True, default=dict)),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="jobs.batch",
                    ),
                ),
                (
                    "frame",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="jobs.frame",
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="events", to="jobs.job"
                    ),
                ),
            ],
            options={"ordering": ("pk",)},
        ),
        migrations.AddField(
            model_name="batch",
            name="job",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="batches", to="jobs.job"),
        ),
        migrations.CreateModel(
            name="JobShare",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("manage", models.BooleanField(default=False, help_text="may also change the job, not only see it")),
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="shares", to="jobs.job"
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
            options={"ordering": ("pk",)},
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("host", models.CharField(max_length=200)),
                ("taken", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires", models.DateTimeField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="leases", to="jobs.batch"
                    ),
                ),
                (
                    "licence",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="leases", to="jobs.licence"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=250, unique=True)),
                ("kind", models.CharField(max_length=30)),
                ("channel", models.CharField(choices=[("mail", "Mail"), ("webhook", "Webhook")], max_length=10)),
                ("subject", models.CharField(max_length=300)),
                ("text", models.TextField()),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "next_try",
                    models.DateTimeField(blank=True, db_index=True, default=django.utils.timezone.now, null=True),
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
            options={"ordering": ("pk",)},
        ),
        migrations.CreateModel(
            name="NotificationChoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mail", models.BooleanField(default=True)),
                ("webhook", models.URLField(blank=True, max_length=500)),
                ("salt", models.CharField(blank=True, help_text="of the webhook's secret", max_length=64)),
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
        migrations.CreateModel(
            name="Share",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "weight",
                    models.PositiveSmallIntegerField(default=1, help_text="2 has twice the batches of 1; 0 has none"),
                ),
                ("max_batches", models.PositiveIntegerField(blank=True, help_text="instead of the site's", null=True)),
                ("max_frames", models.PositiveIntegerField(blank=True, help_text="instead of the site's", null=True)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="share", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("in", "In"), ("out", "Out")], max_length=3)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("PENDING", "Pending"),
                            ("RUNNING", "Running"),
                            ("VERIFYING", "Verifying"),
                            ("RETRY", "Retry"),
                            ("BLOCKED", "Blocked"),
                            ("DONE", "Done"),
                            ("FAILED", "Failed"),
                            ("CANCELLED", "Cancelled"),
                        ],
                        db_index=True,
                        default="PENDING",
                        max_length=20,
                    ),
                ),
                ("state_reason", models.TextField(blank=True)),
                (
                    "error_class",
                    models.CharField(blank=True, help_text="credential, quota, workspace, network …", max_length=50),
                ),
                (
                    "manifest",
                    models.JSONField(
                        blank=True, default=list, help_text="[{frame, source, target, size in bytes, sha256}]"
                    ),
                ),
                ("bytes_total", models.BigIntegerField(default=0)),
                ("bytes_done", models.BigIntegerField(default=0)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("next_try", models.DateTimeField(blank=True, null=True)),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
                ("started", models.DateTimeField(blank=True, null=True)),
                ("finished", models.DateTimeField(blank=True, null=True)),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="transfers", to="jobs.job"
                    ),
                ),
            ],
            options={"ordering": ("pk",)},
        ),
        migrations.CreateModel(
            name="Upload",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=raycrafter.jobs.models.uploads.upload_id,
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("filename", models.CharField(max_length=255)),
                ("size", models.BigIntegerField(help_text="bytes")),
                ("offset", models.BigIntegerField(default=0, help_text="bytes that have arrived")),
                (
                    "pieces",
                    models.JSONField(blank=True, default=list, help_text="their names in the media storage, in order"),
                ),
                (
                    "sha256",
                    models.CharField(
                        blank=True, help_text="of the whole; announced, or found when it was whole", max_length=64
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="uploads", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"ordering": ("expires",)},
        ),
        migrations.CreateModel(
            name="Workspace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.CharField(max_length=50)),
                ("name", models.CharField(max_length=100)),
                ("path", models.CharField(blank=True, max_length=500)),
                ("expires", models.DateTimeField(blank=True, null=True)),
                ("extensions_left", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("PENDING", "Pending"),
                            ("ALLOCATED", "Allocated"),
                            ("RELEASING", "Releasing"),
                            ("RELEASED", "Released"),
                            ("EXPIRED", "Expired"),
                            ("FAILED", "Failed"),
                        ],
                        default="PENDING",
                        max_length=20,
                    ),
                ),
                ("state_reason", models.TextField(blank=True)),
                (
                    "extension_asked_by",
                    models.CharField(blank=True, db_default="", help_text="who waits for an extension", max_length=150),
                ),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "job",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="workspace", to="jobs.job"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(help_text="1 is the frame's first")),
                ("host", models.CharField(blank=True, help_text="the compute node that claimed it", max_length=200)),
                ("started", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended", models.DateTimeField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("rendered", "Rendered"),
                            ("failed", "Failed"),
                            ("interrupted", "Interrupted"),
                            ("lost", "Lost"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=20,
                    ),
                ),
                ("returncode", models.IntegerField(blank=True, null=True)),
                ("seconds", models.FloatField(blank=True, null=True)),
                ("peak_rss_kb", models.PositiveBigIntegerField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
                ("log", models.TextField(blank=True, db_default="", help_text="the renderer's last lines")),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attempts", to="jobs.batch"
                    ),
                ),
                (
                    "frame",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attempts", to="jobs.frame"
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
                "constraints": [
                    models.UniqueConstraint(fields=("frame", "number"), name="attempt_number"),
                    models.UniqueConstraint(
                        condition=models.Q(("ended__isnull", True)),
                        fields=("frame",),
                        name="attempt_one_open_per_frame",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.UniqueConstraint(fields=("owner", "idempotency_key"), name="job_idempotency_key"),
        ),
        migrations.AddIndex(
            model_name="frame", index=models.Index(fields=["job", "state"], name="jobs_frame_job_id_4c7423_idx")
        ),
        migrations.AddIndex(
            model_name="frame", index=models.Index(fields=["batch", "state"], name="jobs_frame_batch_i_a5b278_idx")
        ),
        migrations.AddConstraint(
            model_name="frame", constraint=models.UniqueConstraint(fields=("job", "number"), name="frame_number")
        ),
        migrations.AddIndex(
            model_name="event", index=models.Index(fields=["job", "-id"], name="jobs_event_job_id_eab9e8_idx")
        ),
        migrations.AddConstraint(
            model_name="event", constraint=models.UniqueConstraint(fields=("batch", "seq"), name="event_batch_seq")
        ),
        migrations.AddConstraint(
            model_name="batch", constraint=models.UniqueConstraint(fields=("site", "native_id"), name="batch_native_id")
        ),
        migrations.AddConstraint(
            model_name="jobshare",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("group__isnull", False), ("user__isnull", True)),
                    models.Q(("group__isnull", True), ("user__isnull", False)),
                    _connector="OR",
                ),
                name="job_share_one_party",
            ),
        ),
        migrations.AddConstraint(
            model_name="jobshare", constraint=models.UniqueConstraint(fields=("job", "user"), name="job_share_user")
        ),
        migrations.AddConstraint(
            model_name="jobshare", constraint=models.UniqueConstraint(fields=("job", "group"), name="job_share_group")
        ),
        migrations.AddConstraint(
            model_name="lease",
            constraint=models.UniqueConstraint(fields=("licence", "batch", "host"), name="lease_client"),
        ),
        migrations.AddConstraint(
            model_name="workspace", constraint=models.UniqueConstraint(fields=("site", "name"), name="workspace_name")
        ),
    )
