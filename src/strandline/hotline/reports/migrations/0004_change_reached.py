"""Figures count addresses by what they ever reached."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reports", "0003_follow_up")]
    operations = [
        migrations.AddIndex(
            model_name="statechange",
            index=models.Index(fields=["after", "address", "at"], name="change_reached"),
        ),
    ]
