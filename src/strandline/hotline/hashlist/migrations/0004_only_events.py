"""What events tell now leaves the entries; editions come in more steps than two."""

import django.db.models.deletion
from django.db import migrations, models

PROTECT = django.db.models.deletion.PROTECT


class Migration(migrations.Migration):
    dependencies = [("hashlist", "0003_entries_become_events")]

    operations = [
        migrations.RemoveField(model_name="entry", name="status"),
        migrations.RemoveField(model_name="entry", name="category"),
        migrations.RemoveField(model_name="entry", name="labels"),
        migrations.RemoveField(model_name="entry", name="withdrawn_at"),
        migrations.RemoveField(model_name="entry", name="withdrawn_from"),
        migrations.RemoveField(model_name="entry", name="withdrawn_reason"),
        migrations.AlterField(model_name="entry", name="changed_at", field=models.DateTimeField()),
        migrations.AlterField(
            model_name="entry",
            name="fingerprint",
            field=models.ForeignKey(on_delete=PROTECT, related_name="entries", to="hashlist.fingerprint"),
        ),
        migrations.AlterField(
            model_name="entry",
            name="listed_class",
            field=models.ForeignKey(on_delete=PROTECT, related_name="entries", to="hashlist.listedclass"),
        ),
        migrations.AddIndex(model_name="entry", index=models.Index(fields=["state", "number"], name="entry_by_state")),
        migrations.AlterField(
            model_name="edition",
            name="state",
            field=models.CharField(
                choices=[
                    ("prepared", "Being written"),
                    ("written", "Written; not in the log yet"),
                    ("logged", "In the log; waits for witnesses"),
                    ("published", "Published"),
                ],
                default="prepared",
                max_length=10,
            ),
        ),
        migrations.AlterField(model_name="edition", name="entries", field=models.PositiveBigIntegerField(default=0)),
        migrations.AddConstraint(
            model_name="edition",
            constraint=models.UniqueConstraint(
                models.Case(
                    models.When(state="published", then=None),
                    default=models.Value(1),
                    output_field=models.SmallIntegerField(),
                ),
                name="one_edition_at_a_time",
            ),
        ),
        migrations.CreateModel(
            name="EditionClass",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("entries", models.PositiveBigIntegerField()),
                ("quarantined", models.PositiveBigIntegerField()),
                ("sequence", models.BigIntegerField()),
                ("edition", models.ForeignKey(on_delete=PROTECT, related_name="classes", to="hashlist.edition")),
                ("listed_class", models.ForeignKey(on_delete=PROTECT, related_name="+", to="hashlist.listedclass")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("edition", "listed_class"), name="edition_class_once"),
                ],
            },
        ),
        migrations.AddField(model_name="edition", name="leaf", field=models.BigIntegerField(blank=True, null=True)),
        migrations.CreateModel(
            name="Certificate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hotline", models.CharField(max_length=100)),
                ("jurisdiction", models.CharField(max_length=2)),
                ("note", models.TextField()),
                ("classes", models.PositiveIntegerField()),
                ("audit", models.CharField(blank=True, max_length=64)),
                ("received_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "Received; not in the log yet"),
                            ("logged", "In the log; waits for witnesses"),
                            ("released", "Published"),
                        ],
                        default="received",
                        max_length=8,
                    ),
                ),
                ("leaf", models.BigIntegerField(blank=True, null=True)),
                ("edition", models.ForeignKey(on_delete=PROTECT, related_name="certificates", to="hashlist.edition")),
            ],
            options={
                "ordering": ("id",),
                "constraints": [models.UniqueConstraint(fields=("edition", "hotline"), name="certificate_once")],
            },
        ),
        migrations.CreateModel(
            name="Cosigning",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("leased_by", models.CharField(blank=True, max_length=40)),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("failures", models.PositiveSmallIntegerField(default=0)),
                ("last_error", models.TextField(blank=True)),
                ("given_up_at", models.DateTimeField(blank=True, null=True)),
                ("witness", models.CharField(max_length=200, unique=True)),
                ("vkey", models.CharField(max_length=400)),
                ("size", models.BigIntegerField(default=0)),
                ("line", models.TextField(blank=True)),
                ("cosigned_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "a witness's cosignature",
                "abstract": False,
                "indexes": [models.Index(fields=["due_at", "id"], name="hashlist_cosigning_due")],
            },
        ),
        migrations.CreateModel(
            name="Release",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("leased_by", models.CharField(blank=True, max_length=40)),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("failures", models.PositiveSmallIntegerField(default=0)),
                ("last_error", models.TextField(blank=True)),
                ("given_up_at", models.DateTimeField(blank=True, null=True)),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("size", models.BigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "telling members of the list",
                "abstract": False,
                "indexes": [models.Index(fields=["due_at", "id"], name="hashlist_release_due")],
            },
        ),
    ]
