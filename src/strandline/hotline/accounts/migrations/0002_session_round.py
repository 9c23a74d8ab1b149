from django.db import migrations, models


class Migration(migrations.Migration):
    """A number that ends every session of a person when it is raised."""

    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="person",
            name="session_round",
            field=models.PositiveIntegerField(default=0),
        ),
    ]
