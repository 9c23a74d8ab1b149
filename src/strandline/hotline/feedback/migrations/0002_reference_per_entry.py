"""A member's reference, a case number for example, covers several entries: once for each."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("feedback", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(model_name="statement", name="statement_reference_once"),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reference", ""), _negated=True),
                fields=("member", "entry", "reference"),
                name="statement_reference_once",
            ),
        ),
    ]
