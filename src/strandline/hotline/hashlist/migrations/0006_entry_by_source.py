"""Entries by who they came from: asked whenever a member disputes one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hashlist", "0005_events_never_change")]
    operations = [
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["source", "state"], name="entry_by_source"),
        ),
    ]
