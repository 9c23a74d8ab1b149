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
    ]
