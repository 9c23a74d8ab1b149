from django.db import migrations, models

ROLES = [
    ("analyst", "Analyst"),
    ("senior-analyst", "Senior analyst"),
    ("manager", "Manager"),
    ("custodian", "Custodian"),
    ("administrator", "Administrator"),
    ("member", "Member: may hold the list"),
    ("look-up", "Look-up only"),
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_session_round")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="role",
            field=models.CharField(choices=ROLES, default="member", max_length=20),
        ),
        migrations.AlterField(
            model_name="person",
            name="role",
            field=models.CharField(choices=ROLES, max_length=20),
        ),
    ]
