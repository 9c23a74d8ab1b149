"""Events, classes and fingerprints beside the entries there are; carried over by the next one."""

import django.db.models.deletion
from django.db import migrations, models

KINDS = [("image", "image"), ("video", "video")]
STATES = [("listed", "Listed"), ("quarantined", "Quarantined"), ("withdrawn", "Withdrawn")]
ACTIONS = [(word, word) for word in ("add", "amend", "withdraw", "quarantine", "restore")]
WHY = [
    ("confirmed", "Confirmed"),
    ("reassessed", "Assessed anew"),
    ("not-illegal", "Assessed as not illegal"),
    ("mistake", "A mistake"),
    ("disputed", "Disputed by members"),
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
PROTECT = django.db.models.deletion.PROTECT


class Migration(migrations.Migration):
    dependencies = [("hashlist", "0001_initial"), ("reports", "0004_change_reached")]

    operations = [
        migrations.CreateModel(
            name="Fingerprint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=KINDS, max_length=5)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("sha1", models.CharField(blank=True, max_length=40)),
                ("md5", models.CharField(blank=True, max_length=32)),
                ("pdq", models.CharField(blank=True, max_length=64)),
                ("quality", models.PositiveSmallIntegerField(default=0)),
                ("photodna", models.CharField(blank=True, max_length=288)),
                ("video", models.BinaryField(default=b"")),
                ("pipeline", models.CharField(max_length=60)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["sha256"], name="fingerprint_sha256"),
                    models.Index(fields=["sha1"], name="fingerprint_sha1"),
                    models.Index(fields=["md5"], name="fingerprint_md5"),
                    models.Index(fields=["pdq"], name="fingerprint_pdq"),
                    models.Index(fields=["photodna"], name="fingerprint_photodna"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=120)),
                ("by", models.CharField(max_length=80)),
                ("at", models.DateTimeField()),
                ("first_sequence", models.BigIntegerField()),
                ("last_sequence", models.BigIntegerField()),
                ("reverted_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={"ordering": ("id",)},
        ),
        migrations.CreateModel(
            name="ListedClass",
            fields=[
                ("id", models.CharField(max_length=16, primary_key=True, serialize=False)),
                ("name", models.TextField(unique=True)),
                ("category", models.CharField(max_length=60)),
                ("provenance", models.CharField(max_length=60)),
                ("jurisdiction", models.CharField(max_length=60)),
                ("survivor", models.CharField(max_length=60)),
                ("labels", models.JSONField(default=list)),
            ],
            options={"verbose_name_plural": "listed classes", "ordering": ("name",)},
        ),
        migrations.RemoveIndex(model_name="entry", name="entry_by_status"),
        migrations.RemoveIndex(model_name="entry", name="entry_withdrawn_from"),
        migrations.AlterModelOptions(name="entry", options={"ordering": ("number",), "verbose_name_plural": "entries"}),
        migrations.RenameField(model_name="entry", old_name="sequence", new_name="number"),
        migrations.AlterField(
            model_name="entry",
            name="item",
            field=models.OneToOneField(blank=True, null=True, on_delete=PROTECT, related_name="entry", to="reports.mediaitem"),
        ),
        migrations.AddField(
            model_name="entry",
            name="batch",
            field=models.ForeignKey(blank=True, null=True, on_delete=PROTECT, related_name="rows", to="hashlist.import"),
        ),
        migrations.AddField(model_name="entry", name="source", field=models.CharField(default="assessment", max_length=120)),
        migrations.AddField(model_name="entry", name="state", field=models.CharField(choices=STATES, default="listed", max_length=11)),
        migrations.AddField(model_name="entry", name="changed_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="entry", name="why", field=models.CharField(choices=WHY, default="confirmed", max_length=40)),
        migrations.AddField(model_name="entry", name="reason", field=models.CharField(blank=True, max_length=250)),
        migrations.AddField(
            model_name="entry",
            name="fingerprint",
            field=models.ForeignKey(null=True, on_delete=PROTECT, related_name="entries", to="hashlist.fingerprint"),
        ),
        migrations.AddField(
            model_name="entry",
            name="listed_class",
            field=models.ForeignKey(null=True, on_delete=PROTECT, related_name="entries", to="hashlist.listedclass"),
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("sequence", models.BigIntegerField(primary_key=True, serialize=False)),
                ("action", models.CharField(choices=ACTIONS, max_length=10)),
                ("before", models.CharField(blank=True, choices=STATES, max_length=11)),
                ("why", models.CharField(choices=WHY, max_length=40)),
                ("reason", models.CharField(blank=True, max_length=250)),
                ("by", models.CharField(max_length=80)),
                ("at", models.DateTimeField()),
                ("entry", models.ForeignKey(on_delete=PROTECT, related_name="events", to="hashlist.entry")),
                ("fingerprint", models.ForeignKey(blank=True, null=True, on_delete=PROTECT, related_name="events", to="hashlist.fingerprint")),
                ("listed_class", models.ForeignKey(on_delete=PROTECT, related_name="events", to="hashlist.listedclass")),
            ],
            options={
                "ordering": ("sequence",),
                "indexes": [
                    models.Index(fields=["listed_class", "sequence"], name="event_by_class"),
                    models.Index(fields=["entry", "sequence"], name="event_by_entry"),
                ],
            },
        ),
        migrations.AddField(model_name="edition", name="quarantined", field=models.PositiveBigIntegerField(default=0)),
        migrations.RemoveConstraint(model_name="edition", name="one_edition_at_a_time"),
    ]
