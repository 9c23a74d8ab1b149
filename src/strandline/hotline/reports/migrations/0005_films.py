"""Films: how long they are, and the fingerprints of their frames."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reports", "0004_change_reached")]
    operations = [
        migrations.AddField(
            model_name="mediaitem",
            name="seconds",
            field=models.FloatField(default=0),
        ),
        migrations.CreateModel(
            name="Film",
            fields=[
                (
                    "item",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="film",
                        serialize=False,
                        to="reports.mediaitem",
                    ),
                ),
                ("codec", models.CharField(max_length=20)),
                ("video", models.BinaryField(default=b"")),
                ("shown", models.JSONField(default=list)),
            ],
        ),
    ]
