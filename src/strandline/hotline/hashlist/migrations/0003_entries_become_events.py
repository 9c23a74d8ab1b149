"""Each entry becomes its events: an addition, and a withdrawal where it was withdrawn.

Events come in the order in which editions brought them. Those editions were whole files of another
format, of which the audit chain still tells; the list begins anew with edition 1, in a folder of
its own, and brings every event.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

AT_ONCE = 2000
MIN_QUALITY = 50


def carry_over(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    tables = Tables(apps, schema_editor.connection.alias)
    tables.fill_entries()
    tables.write_events()


class Tables:
    """The rooms' tables as they were then."""

    def __init__(self, apps: Any, database: str) -> None:
        self.Entry = apps.get_model("hashlist", "Entry")
        self.Event = apps.get_model("hashlist", "Event")
        self.Edition = apps.get_model("hashlist", "Edition")
        self.Fingerprint = apps.get_model("hashlist", "Fingerprint")
        self.ListedClass = apps.get_model("hashlist", "ListedClass")
        self.Assessment = apps.get_model("assessment", "Assessment")
        self.Verdict = apps.get_model("assessment", "Verdict")
        self.Report = apps.get_model("reports", "Report")
        self.database = database
        self._classes: dict[str, Any] = {}

    def rows(self, model: Any) -> Any:
        return model._default_manager.using(self.database)

    def fill_entries(self) -> None:
        for entry in self.rows(self.Entry).select_related("item").order_by("number").iterator(AT_ONCE):
            item = entry.item
            perceptual = bool(item.pdq) and item.quality >= MIN_QUALITY
            entry.fingerprint = self.rows(self.Fingerprint).create(
                kind="video" if item.kind == "video" else "image",
                sha256=item.sha256,
                sha1=item.sha1,
                md5=item.md5,
                pdq=item.pdq if perceptual else "",
                quality=item.quality if perceptual else 0,
                pipeline=item.pipeline if perceptual else "-",
            )
            entry.listed_class = self.class_of(entry)
            gone = entry.status == "withdrawn"
            entry.state = "withdrawn" if gone else "listed"
            entry.why = _why(entry.withdrawn_reason) if gone else "confirmed"
            entry.reason = entry.withdrawn_reason
            entry.changed_at = entry.withdrawn_at if gone else entry.added_at
            entry.save(using=self.database)

    def class_of(self, entry: Any) -> Any:
        verdict = self.rows(self.Verdict).filter(item=entry.item_id).first()
        stages = {"agreed": ("first", "second"), "third": ("third",)}
        carrying = list(
            self.rows(self.Assessment).filter(
                item=entry.item_id, stage__in=stages.get(verdict.how, ()) if verdict else ()
            )
        )
        provenances = {each.provenance for each in carrying}
        provenance = (provenances.pop() if len(provenances) == 1 else "") or "undetermined"
        labels = set(entry.labels)
        for label, field in (("self-generated", "self_generated"), ("extortion", "extortion")):
            if carrying and all(getattr(each, field) == "yes" for each in carrying):
                labels.add(label)
        sources = set(
            self.rows(self.Report).filter(address__appearances__item=entry.item_id).values_list(
                "source", flat=True
            )
        )
        survivor = next((s for s in ("survivor", "child-service") if s in sources), "none")
        parts = (entry.category, provenance, settings.HOTLINE.jurisdiction, survivor)
        name = f"{' '.join(parts)} {','.join(sorted(labels)) or '-'}"
        if name not in self._classes:
            self._classes[name], _ = self.rows(self.ListedClass).get_or_create(
                id=hashlib.sha256(name.encode()).hexdigest()[:16],
                defaults={
                    "name": name,
                    "category": parts[0],
                    "provenance": parts[1],
                    "jurisdiction": parts[2],
                    "survivor": parts[3],
                    "labels": sorted(labels),
                },
            )
        return self._classes[name]

    def write_events(self) -> None:
        sequence, last = 0, 0
        for edition in self.rows(self.Edition).order_by("number"):
            sequence = self.write(sequence, self.of_edition(edition, last))
            last = edition.up_to
        self.write(sequence, self.unpublished(last))
        self.rows(self.Edition).all().delete()

    def of_edition(self, edition: Any, last: int) -> Iterator[tuple[str, Any]]:
        added = self.rows(self.Entry).filter(number__gt=last, number__lte=edition.up_to)
        yield from (("add", entry) for entry in added.order_by("number").iterator(AT_ONCE))
        gone = self.rows(self.Entry).filter(withdrawn_from=edition.number, number__lte=edition.up_to)
        yield from (("withdraw", entry) for entry in gone.order_by("number").iterator(AT_ONCE))

    def unpublished(self, last: int) -> Iterator[tuple[str, Any]]:
        newest = self.rows(self.Edition).order_by("-number").first()
        added = self.rows(self.Entry).filter(number__gt=last)
        yield from (("add", entry) for entry in added.order_by("number").iterator(AT_ONCE))
        gone = self.rows(self.Entry).filter(
            withdrawn_from__gt=newest.number if newest else 0
        )
        yield from (("withdraw", entry) for entry in gone.order_by("number").iterator(AT_ONCE))

    def write(self, sequence: int, changes: Iterator[tuple[str, Any]]) -> int:
        rows = []
        for action, entry in changes:
            sequence += 1
            added = action == "add"
            rows.append(
                self.Event(
                    sequence=sequence,
                    entry_id=entry.number,
                    action=action,
                    listed_class_id=entry.listed_class_id,
                    before="" if added else "listed",
                    why="confirmed" if added else entry.why,
                    reason="" if added else entry.reason,
                    by="hashlist",
                    at=entry.added_at if added else entry.withdrawn_at,
                    fingerprint_id=entry.fingerprint_id if added else None,
                )
            )
        self.rows(self.Event).bulk_create(rows, batch_size=AT_ONCE)
        return sequence


def _why(reason: str) -> str:
    return "not-illegal" if reason.startswith("Assessed as ") else "other"


class Migration(migrations.Migration):
    dependencies = [
        ("hashlist", "0002_events"),
        ("assessment", "0001_initial"),
    ]
    operations = [migrations.RunPython(carry_over, elidable=False)]
