"""The renderer's last lines, kept with each attempt."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """A new column with a default in the database: an older release works with it."""

    dependencies = (("jobs", "0005_transfer_progress"),)

    operations = (
        migrations.AddField(
            model_name="attempt",
            name="log",
            field=models.TextField(blank=True, db_default="", help_text="the renderer's last lines"),
        ),
    )
