"""VICS (Project VIC, CAID): hash sets and the media of cases, versions 1.x and 2.0, streamed.

The official model is shared only under agreement; this reads what public tools write and read. A
case also holds names, paths and times of files on somebody's computer. None of it is kept: a hash
list needs none, and the loss report says what was there.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain
from pathlib import PureWindowsPath
from typing import Any, TypeVar

from strandline.errors import FormatRefused
from strandline.formats import values
from strandline.formats.json_elements import elements, place_of
from strandline.formats.losses import Losses
from strandline.formats.rows import HashRow, Kind, Unreadable
from strandline.formats.streams import LIMITS, Limits, Readable, pieces
from strandline.formats.vics_categories import CategoryTable, public_tables

T = TypeVar("T")

#: How much of the beginning is looked at to tell what the file is.
_HEAD = 1 << 16
_CONTEXT = re.compile(
    rb'"@?odata\.(?:context|metadata)"\s*:\s*"[^"]*?/DataModels/'
    rb'(1\.\d|2\.0)\.xml/?(US|UK|CUSTOM|Default)?/?(?:\$metadata)?#(Cases|Media)"'
)
_MEDIA_OF_CASE = re.compile(rb'"Media"\s*:\s*\[')
_VALUE = re.compile(rb'"value"\s*:\s*\[')

#: Yes or no in VICS, by our names and in their order.
FACTS = {
    "IsDistributed": "distributed",
    "OffenderIdentified": "offender-identified",
    "IsPrecategorized": "precategorised",
    "SelfGenerated": "self-generated",
    "IsSuspected": "suspected",
    "VictimIdentified": "victim-identified",
}
#: Names of further hashes in AlternativeHashes, in lower case, and our fields.
ALTERNATIVE = {"sha256": "sha256", "sha-256": "sha256", "pdq": "pdq", "sha1": "sha1"}
_PHOTODNA = frozenset({"photodna", "pdna"})
_READ = frozenset(
    (
        *("MediaID", "Category", "MD5", "SHA1", "MediaSize", "PhotoDNA", "Series", "Tags"),
        *("DateUpdated", "MimeType", "RelativeFilePath", "PrecategorizationSource"),
        *("AlternativeHashes", "odata.id", "@odata.id", *FACTS),
    )
)
_CASE_DATA = frozenset(
    {"MediaFiles", "Exifs", "MediaMetadata", "Miniature", "Comments", "RelativeFilePath"}
)
#: Characters of all tags of one medium.
_LONGEST_LABELS = 5000
_PICTURES = frozenset(
    (
        *(".jpg", ".jpeg", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"),
        *(".heic", ".avif"),
    )
)
_FILMS = frozenset(
    (
        *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".wmv", ".mpg", ".mpeg"),
        *(".flv", ".3gp", ".ts"),
    )
)


def read(
    stream: Readable,
    losses: Losses,
    *,
    limits: Limits = LIMITS,
    tables: Mapping[str, CategoryTable] | None = None,
    country: str = "",
) -> Iterator[HashRow | Unreadable]:
    """Each medium of a VICS file, in the file's order.

    Categories become the words of the table of ``country``, else of the country that the file's
    envelope names, else their digits. Raises FormatRefused, naming the element, when the file is
    no VICS: what was given before that must not be kept.
    """
    raw = pieces(stream, limits, any_unicode=True)
    head = b""
    for piece in raw:
        head += piece
        if len(head) >= _HEAD:
            break
    context = _CONTEXT.search(head)
    if not context and not _VALUE.search(head):
        raise FormatRefused("the envelope", 'There is no "odata" context and no "value" array.')
    if not context:
        losses.add("the envelope", "does not say whose categories these are", "the beginning")
    said = context[2].decode() if context and context[2] else ""
    # Version 1 knows no country: its tables came from the United States.
    named = said or ("US" if context and context[1].startswith(b"1") else "")
    known = {**public_tables(), **(tables or {})}
    table = known.get(country or named, CategoryTable(country or named))
    is_case = context[3] == b"Cases" if context else bool(_MEDIA_OF_CASE.search(head))
    prefix = "value.item.Media.item" if is_case else "value.item"
    if is_case:
        losses.add("the case", "is not kept: only hashes of its media are", "the envelope", rows=1)
    number = 0
    for element in elements(chain((head,), raw), prefix, limits):
        number += 1
        place = place_of(number)
        try:
            yield _row(element, table, losses, place)
        except FormatRefused as refused:
            yield Unreadable(place, refused.message.removeprefix(f"{place}: "))
    if not number and not _VALUE.search(head):
        raise FormatRefused("the envelope", 'There is no "value" array.')


def _row(element: object, table: CategoryTable, losses: Losses, place: str) -> HashRow:
    if not isinstance(element, dict):
        raise FormatRefused(place, "This is not a medium: an object is expected.")
    get = element.get
    for name in element:
        if name not in _READ:
            _lose(name, element[name], losses, place)
    photodna = values.photodna(get("PhotoDNA"))
    if photodna is None and get("PhotoDNA"):
        losses.add("PhotoDNA", "is not 144 bytes and is not kept", place)
    found = {"sha1": values.digest("sha1", get("SHA1"), place), "photodna": photodna}
    if alternatives := get("AlternativeHashes"):
        _alternatives(alternatives, found, losses, place)
    facts = tuple(
        (ours, said)
        for theirs, ours in FACTS.items()
        if (given := get(theirs)) is not None
        and (said := _fact(theirs, given, losses, place)) is not None
    )
    return HashRow(
        sha256=found.get("sha256"),
        sha1=found["sha1"],
        md5=values.digest("md5", get("MD5"), place),
        pdq=found.get("pdq"),
        photodna=found["photodna"],
        kind=_kind(element, losses, place),
        category=_category(get("Category"), table, losses, place),
        labels=_labels(element),
        facts=facts,
        source_id=values.text(get("MediaID")),
        contributor=values.text(get("PrecategorizationSource")),
        changed=_optional("DateUpdated", values.moment(get("DateUpdated")), element, losses, place),
        size=_optional("MediaSize", values.whole_number(get("MediaSize")), element, losses, place),
        place=place,
    )


def _fact(name: str, given: object, losses: Losses, place: str) -> bool | None:
    said = values.boolean(given)
    if said is None and given != "":
        losses.add(name, "is neither yes nor no and is not kept", place)
    return said


def _optional(
    name: str, read: T | None, element: dict[str, Any], losses: Losses, place: str
) -> T | None:
    if read is None and element.get(name) not in {None, ""}:
        losses.add(name, "cannot be understood and is not kept", place)
    return read


def _labels(element: dict[str, Any]) -> tuple[str, ...]:
    tags, series = element.get("Tags"), element.get("Series")
    if not tags and not series:
        return ()
    tags = tags if isinstance(tags, str) else ""
    series = series if isinstance(series, str) else ""
    return _named(tags[:_LONGEST_LABELS], series[:_LONGEST_LABELS])


@lru_cache(maxsize=2048)
def _named(tags: str, series: str) -> tuple[str, ...]:
    names = [f"series:{name.strip()}" for name in series.split(",") if name.strip()]
    return values.words([*tags.split(","), *names])


def _category(given: object, table: CategoryTable, losses: Losses, place: str) -> str:
    if given is None or given == "":
        return ""
    number = values.whole_number(given)
    if number is None:
        losses.add("Category", "is not a number and is not kept", place)
        return ""
    return table.word(number)


def _kind(element: dict[str, Any], losses: Losses, place: str) -> Kind | None:
    kind = values.kind_of_media_type(element.get("MimeType"))
    path = element.get("RelativeFilePath")
    if path:
        losses.add("RelativeFilePath", "is not kept: data of a case", place)
        if kind is None and isinstance(path, str):
            kind = _kind_of_path(path)
    return kind


def _kind_of_path(path: str) -> Kind | None:
    suffix = PureWindowsPath(path[-300:]).suffix.lower()
    if suffix in _PICTURES:
        return Kind.IMAGE
    return Kind.VIDEO if suffix in _FILMS else None


def _alternatives(given: object, found: dict[str, str | None], losses: Losses, place: str) -> None:
    if not isinstance(given, list):
        losses.add("AlternativeHashes", "is not a list and is not kept", place)
        return
    for hashed in given:
        if not isinstance(hashed, dict):
            losses.add("AlternativeHashes", "has an element that is not kept", place)
            continue
        name = values.text(hashed.get("HashName")).lower()
        value = hashed.get("HashValue")
        if name in _PHOTODNA:
            read = values.photodna(value)
            if read is None and value:
                losses.add("AlternativeHashes PhotoDNA", "is not 144 bytes and is not kept", place)
            found["photodna"] = read or found["photodna"]
        elif name in ALTERNATIVE:
            ours = ALTERNATIVE[name]
            found[ours] = values.digest(ours, value, place) or found.get(ours)
        else:
            losses.add(f"AlternativeHashes {name[:40]}", "is not kept", place)


def _lose(name: str, value: object, losses: Losses, place: str) -> None:
    if value in (None, "", [], {}):
        return
    why = "is not kept: data of a case" if name in _CASE_DATA else "is not known and not kept"
    losses.add(name, why, place)
