import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reports", "0002_state_guard")]
    operations = [
        migrations.CreateModel(
            name="FollowUp",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "direction",
                    models.CharField(
                        choices=[
                            ("from-reporter", "From the reporter"),
                            ("to-reporter", "To the reporter"),
                        ],
                        max_length=14,
                    ),
                ),
                ("text_sealed", models.BinaryField()),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="follow_ups",
                        to="reports.report",
                    ),
                ),
            ],
            options={"ordering": ("id",)},
        ),
    ]
