"""When the grid proxy ends, for the site's page."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """New columns that may be empty: an older release works with them."""

    dependencies = (("jobs", "0004_notifications_and_retention"),)

    operations = (
        migrations.AddField(
            model_name="site",
            name="proxy_ends",
            field=models.DateTimeField(
                editable=False,
                help_text="the grid proxy of the worker that looked last; empty: it cannot be read",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="proxy_seen",
            field=models.DateTimeField(editable=False, help_text="when that worker looked", null=True),
        ),
    )
