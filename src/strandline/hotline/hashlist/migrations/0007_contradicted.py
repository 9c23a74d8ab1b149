"""What another source contradicts has a word of its own; events from before keep theirs."""

from django.db import migrations, models

WHY = [
    ("confirmed", "Confirmed"),
    ("reassessed", "Assessed anew"),
    ("not-illegal", "Assessed as not illegal"),
    ("mistake", "A mistake"),
    ("disputed", "Disputed by members"),
    ("contradicted", "Another source contradicts it"),
    ("flood", "Part of a flood"),
    ("single-source", "Rests on one source only"),
    ("innocent-picture", "A common innocent picture"),
    ("cleared", "The doubt was cleared up"),
    ("received", "Received from another organisation"),
    ("import-reverted", "The import it came with was taken back"),
    ("source-withdrew", "Its source withdrew it"),
    ("rehashed", "Fingerprinted by a newer version"),
    ("moved", "Goes on in another class"),
    ("other", "Another reason"),
]


class Migration(migrations.Migration):
    dependencies = [("hashlist", "0006_entry_by_source")]
    operations = [
        migrations.AlterField(
            model_name="entry",
            name="why",
            field=models.CharField(choices=WHY, default="confirmed", max_length=40),
        ),
        migrations.AlterField(
            model_name="event", name="why", field=models.CharField(choices=WHY, max_length=40)
        ),
    ]
