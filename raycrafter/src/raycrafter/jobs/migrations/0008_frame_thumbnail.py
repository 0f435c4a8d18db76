"""Whether a frame has a small copy."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """A new column with a default in the database: an older release works with it."""

    dependencies = (("jobs", "0007_site_heard"),)

    operations = (
        migrations.AddField(
            model_name="frame",
            name="thumbnail",
            field=models.BooleanField(db_default=False, default=False, help_text="a small copy lies beside the file"),
        ),
    )
