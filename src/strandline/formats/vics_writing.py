"""Writing VICS hash sets, 1.3 and 2.0: the envelope in the order that readers insist on."""

import base64
import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

from strandline.formats.losses import Losses
from strandline.formats.rows import HashRow
from strandline.formats.streams import Writable
from strandline.formats.values import utc_text
from strandline.formats.vics import FACTS
from strandline.formats.vics_categories import CategoryTable, public_tables

_CONTEXT_2 = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{}/$metadata#Media"
_METADATA_1 = "http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Media"
#: Countries that a 2.0 envelope can name.
COUNTRIES = ("US", "UK", "CUSTOM", "Default")
_NAMES = {ours: theirs for theirs, ours in FACTS.items()}
_SERIES = "series:"


class Version(StrEnum):
    """Which of the two is written."""

    V1_3 = "1.3"
    V2_0 = "2.0"


def write(
    rows: Iterable[HashRow],
    stream: Writable,
    losses: Losses,
    *,
    version: Version = Version.V2_0,
    table: CategoryTable | None = None,
) -> None:
    """Write a hash set; rows that VICS cannot hold are left out and told of in ``losses``.

    VICS identifies a medium by its MD5, so a row without one is left out, and so is a withdrawn
    one. ``table`` gives the categories' numbers; a category that is not in it is written as null.
    Raises ValueError for a country that no envelope names.
    """
    table = table or public_tables()["Default"]
    if table.country not in COUNTRIES:
        raise ValueError(f"A VICS envelope names one of {', '.join(COUNTRIES)}.")
    key, context = "@odata.context", _CONTEXT_2.format(table.country)
    if version is Version.V1_3:
        key, context = "odata.metadata", _METADATA_1
    stream.write(f'{{"{key}": "{context}",\n"value": ['.encode())
    comma = "\n"
    for number, row in enumerate(_possible(rows, losses)):
        medium = _medium(row, number, version, table, losses)
        stream.write(f"{comma}{json.dumps(medium)}".encode())
        comma = ",\n"
    stream.write(b"\n]}\n")


def _possible(rows: Iterable[HashRow], losses: Losses) -> Iterator[HashRow]:
    for row in rows:
        if row.withdrawn:
            losses.add("the row", "is left out: VICS knows no withdrawal", row.place)
        elif row.md5 is None:
            losses.add("the row", "is left out: VICS needs an MD5", row.place)
        else:
            yield row


def _medium(
    row: HashRow, number: int, version: Version, table: CategoryTable, losses: Losses
) -> dict[str, Any]:
    md5 = (row.md5 or "").upper()
    medium: dict[str, Any] = {}
    if version is Version.V1_3:
        medium["odata.id"] = f'Media("{md5}")'
    medium["MediaID"] = _media_id(row, number, losses)
    medium["Category"] = _category(row, table, losses)
    medium["MD5"] = md5
    if row.sha1:
        medium["SHA1"] = row.sha1.upper()
    if row.size is not None:
        medium["MediaSize"] = str(row.size) if version is Version.V1_3 else row.size
    medium.update(_facts(row, losses))
    series = [label.removeprefix(_SERIES) for label in row.labels if label.startswith(_SERIES)]
    tags = [label for label in row.labels if not label.startswith(_SERIES)]
    for name, given in (("Series", series), ("Tags", tags)):
        if given:
            medium[name] = _joined(given, losses, row)
    if row.changed:
        medium["DateUpdated"] = utc_text(row.changed)
    if row.contributor:
        medium["PrecategorizationSource"] = row.contributor
    medium.update(_further_hashes(row, md5, version))
    _lose(row, losses)
    return medium


def _lose(row: HashRow, losses: Losses) -> None:
    if row.kind is not None:
        # MimeType would name one type of image; nobody here knows which.
        losses.add("kind", "is not written: VICS has no place for it", row.place)
    if row.quality is not None:
        losses.add("quality", "is not written: VICS has no place for it", row.place)
    if row.changed and row.changed.microsecond % 1000:
        losses.add("the time of a change", "is cut to thousandths of a second", row.place)


def _media_id(row: HashRow, number: int, losses: Losses) -> int:
    if row.source_id.isascii() and row.source_id.isdigit() and len(row.source_id) <= 15:
        return int(row.source_id)
    if row.source_id:
        losses.add("the source's id", "is replaced by a number", row.place)
    return number


def _category(row: HashRow, table: CategoryTable, losses: Losses) -> int | None:
    if not row.category:
        return None
    number = table.number(row.category)
    if number is None:
        losses.add(
            f"category {row.category[:40]!r}",
            f"is written as null: the table of {table.country} has no number for it",
            row.place,
        )
    return number


def _facts(row: HashRow, losses: Losses) -> Iterator[tuple[str, str]]:
    for ours, said in row.facts:
        if ours in _NAMES:
            # As words: that is how those who share these sets write them.
            yield _NAMES[ours], "true" if said else "false"
        else:
            losses.add(f"fact {ours[:40]!r}", "is not written: VICS has no place for it", row.place)


def _joined(labels: list[str], losses: Losses, row: HashRow) -> str:
    if any("," in label for label in labels):
        losses.add("a comma in a label", "is written as a semicolon", row.place)
    return ",".join(label.replace(",", ";") for label in labels)


def _further_hashes(row: HashRow, md5: str, version: Version) -> dict[str, Any]:
    medium: dict[str, Any] = {}
    further = []
    if row.photodna:
        opaque = base64.b64encode(bytes.fromhex(row.photodna)).decode()
        if version is Version.V1_3:
            further.append(("PhotoDNA", opaque))
        else:
            medium["PhotoDNA"] = opaque
    if row.sha256:
        further.append(("SHA256", row.sha256.upper()))
    if row.pdq:
        further.append(("PDQ", row.pdq))
    if further:
        medium["AlternativeHashes"] = [
            {"MD5": md5, "HashName": name, "HashValue": value} for name, value in further
        ]
    return medium
