"""The list as other programs take it: streamed, entry by entry, whatever its length."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from strandline import formats
from strandline.errors import ListRefused
from strandline.formats import Writable
from strandline.formats.ncmec_writing import Member
from strandline.formats.tables import JOIN
from strandline.lists.member.holdings import Holdings
from strandline.lists.member.layout import Layout
from strandline.lists.published.classes import Column
from strandline.lists.state import Held, State

_FIELDS = (
    "entry",
    "kind",
    "category",
    "provenance",
    "jurisdiction",
    "survivor",
    "labels",
    "sha256",
    "sha1",
    "md5",
    "pdq",
    "quality",
    "photodna",
    "pipeline",
)


def _row(held: Held) -> dict[str, str | int | None]:
    known, entry_class = held.fingerprints, held.entry_class
    values = {column.value: getattr(known, column.value, None) for column in _SINGLE}
    return {
        "entry": held.name,
        "kind": held.kind.value,
        "category": entry_class.category,
        "provenance": entry_class.provenance,
        "jurisdiction": entry_class.jurisdiction,
        "survivor": entry_class.survivor,
        "labels": JOIN.join(entry_class.labels),
        **values,
        "quality": known.quality if known and known.pdq else None,
        "pipeline": held.pipeline,
    }


_SINGLE = (Column.SHA256, Column.SHA1, Column.MD5, Column.PDQ, Column.PHOTODNA)


def _csv(entries: Iterable[Held]) -> Iterator[str]:
    """A line for each entry, after one that names the columns (RFC 4180)."""
    line = io.StringIO(newline="")
    writer = csv.DictWriter(line, _FIELDS)
    writer.writeheader()
    for held in entries:
        writer.writerow(_row(held))
        if line.tell() > 1 << 16:
            yield line.getvalue()
            line.seek(0)
            line.truncate()
    yield line.getvalue()


def _json(entries: Iterable[Held]) -> Iterator[str]:
    """One JSON object for each entry, on its line; films with their frames."""
    for held in entries:
        known = held.fingerprints
        row: dict[str, object] = {k: v for k, v in _row(held).items() if v not in {None, ""}}
        row["labels"] = list(held.entry_class.labels)
        if known and known.video:
            row["video"] = [
                {"ms": frame.ms, "quality": frame.quality, "pdq": frame.pdq}
                for frame in known.video
            ]
        yield json.dumps(row, separators=(",", ":")) + "\n"


def _hashes(column: Column) -> Callable[[Iterable[Held]], Iterator[str]]:
    def lines(entries: Iterable[Held]) -> Iterator[str]:
        for held in entries:
            value = getattr(held.fingerprints, column.value, None)
            if value:
                yield f"{value}\n"

    return lines


#: By name: how entries become text.
FORMATS: dict[str, Callable[[Iterable[Held]], Iterator[str]]] = {
    "csv": _csv,
    "json": _json,
    "sha256": _hashes(Column.SHA256),
    "md5": _hashes(Column.MD5),
    "pdq": _hashes(Column.PDQ),
}


#: Formats of others by name, and what each is; see docs/formats.md.
FOREIGN: dict[str, str] = {
    name: what for name, (what, _) in formats.WRITERS.items() if name not in FORMATS
}


def export(directory: str | Path, form: str, *, quarantined: bool = False) -> Iterator[str]:
    """The live entries as pieces of text; with ``quarantined`` those under quarantine as well.

    Raises ListRefused for a form that is not known, and when the copy is altered.
    """
    if form not in FORMATS:
        raise ListRefused(f"{form!r} is no form of export: {_NAMES} are.")
    return FORMATS[form](_live(directory, quarantined=quarantined))


def export_foreign(
    directory: str | Path, form: str, stream: Writable, *, quarantined: bool = False
) -> list[str]:
    """Write the live entries in a format of others, streamed; sentences say what it cannot carry.

    The category is the country and the category, ``gb-A``, as no other country's is meant; VICS,
    whose categories are numbers of a country's table, has null for it. With ``quarantined`` entries
    under quarantine are written as well, and nothing tells them apart.

    Raises ListRefused for a form that is not known, and when the copy is altered.
    """
    if form not in FOREIGN:
        raise ListRefused(f"{form!r} is no form of export: {_NAMES} are.")
    options: dict[str, object] = {}
    if form == "ncmec":
        layout = Layout(Path(directory))
        manifest = Holdings.open(layout, State.open(layout.store).edition).believed.manifest
        options = {"member": Member(1, manifest.origin), "written": manifest.published}
    untold = formats.Losses()
    rows = _foreign(_live(directory, quarantined=quarantined), untold)
    losses = formats.write(form, rows, stream, **options)
    return [*untold.sentences, *losses.sentences]


def _foreign(entries: Iterable[Held], untold: formats.Losses) -> Iterator[formats.HashRow]:
    for held in entries:
        known, entry_class = held.fingerprints, held.entry_class
        if known and known.video:
            untold.add("frames of films", "are not written: no such format has them", held.name)
        if known is None or not any(getattr(known, column.value) for column in _SINGLE):
            untold.add("the entry", "is left out: it has no hash but its frames", held.name)
            continue
        untold.add("provenance and survivor", "are not written", held.name)
        yield formats.HashRow(
            sha256=known.sha256,
            sha1=known.sha1,
            md5=known.md5,
            pdq=known.pdq,
            quality=known.quality if known.pdq else None,
            photodna=known.photodna,
            kind=formats.Kind(held.kind.value),
            category=f"{entry_class.jurisdiction}-{entry_class.category}",
            labels=entry_class.labels,
            source_id=held.name,
            place=held.name,
        )


def _live(directory: str | Path, *, quarantined: bool) -> Iterator[Held]:
    state = State.open(Layout(Path(directory)).store)
    state.verify()
    return (held for held in state.entries() if quarantined or not held.quarantined)


_NAMES = ", ".join([*FORMATS, *FOREIGN])
