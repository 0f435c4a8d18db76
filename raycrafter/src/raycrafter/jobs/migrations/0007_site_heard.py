"""Since when clients could be heard, so that the service's own outages are nobody's silence."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """New columns that may be empty: an older release works with them."""

    dependencies = (("jobs", "0006_attempt_log"),)

    operations = (
        migrations.AddField(
            model_name="site",
            name="reaped",
            field=models.DateTimeField(editable=False, help_text="when silent clients were last looked for", null=True),
        ),
        migrations.AddField(
            model_name="site",
            name="heard_since",
            field=models.DateTimeField(
                editable=False, help_text="since when, without a break, clients could be heard", null=True
            ),
        ),
    )
