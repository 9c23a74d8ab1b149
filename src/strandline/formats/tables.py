"""Comma-separated lists: which column says what, read with any usual separator; cells guarded.

A :class:`Profile` maps headings to the fields of a row. A list without headings is read too when
each of its cells is a hash. Spreadsheets run what begins with ``=``, ``+``, ``-`` or ``@``, so the
writer puts an apostrophe before such cells and the reader takes it away.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from strandline.errors import FormatRefused
from strandline.formats import values
from strandline.formats.losses import Losses
from strandline.formats.rows import DIGITS, HashRow, Unreadable
from strandline.formats.streams import LIMITS, Limits, Readable, Writable, pieces

#: Characters of one line; a row of ours has at most some 10,000.
LONGEST_LINE = 100_000
MOST_COLUMNS = 200
_SEPARATORS = (";", "\t", ",", "|")
T = TypeVar("T")
Note = Callable[[str, str], None]
_BY_LENGTH = {64: "sha256", 40: "sha1", 32: "md5", 288: "photodna"}
#: Joins several labels in one cell.
JOIN = "|"
_RUN = ("=", "+", "-", "@", "\t", "\r", "\n")
_OWN = (
    *("id", "kind", "sha256", "sha1", "md5", "pdq", "quality", "photodna", "category"),
    *("labels", "facts", "contributor", "changed", "size", "withdrawn"),
)


@dataclass(frozen=True)
class Profile:
    """Which heading means which field of :class:`HashRow`."""

    name: str
    #: Headings in lower case to fields: those of :data:`_OWN`, or ``fact:<name>`` for a yes or no.
    headings: Mapping[str, str] = field(default_factory=dict)
    #: Headings in lower case whose loss is known, with what becomes of it.
    lost: Mapping[str, str] = field(default_factory=dict)


#: Headings of all kinds of plain lists.
PLAIN = Profile(
    "csv",
    dict(
        (
            *((name, name) for name in _OWN),
            *(("sha-256", "sha256"), ("sha-1", "sha1"), ("md-5", "md5"), ("pdq_hash", "pdq")),
            *(("pdq_quality", "quality"), ("pdna", "photodna"), ("type", "kind")),
            *(("media type", "kind"), ("media_type", "kind"), ("classification", "category")),
            *(("tags", "labels"), ("label", "labels"), ("entry", "id"), ("source_id", "id")),
            *(("timestamp", "changed"), ("date", "changed"), ("updated", "changed")),
            *(("source", "contributor"), ("bytes", "size")),
        )
    ),
)
#: Interpol's ICSE baseline list.
ICSE = Profile(
    "icse",
    dict(
        (
            *(("md5", "md5"), ("sha1", "sha1"), ("photodna", "photodna"), ("image id", "id")),
            *(("media type", "kind"), ("series name", "series"), ("baseline", "fact:baseline")),
            ("is distributed", "fact:distributed"),
            ("victim identified", "fact:victim-identified"),
            ("offender identified", "fact:offender-identified"),
        )
    ),
    {
        "number of submissions": "is not kept: it counts Interpol's sources",
        "file available": "is not kept: it speaks of Interpol's own store",
    },
)


def read(
    stream: Readable, losses: Losses, *, profile: Profile = PLAIN, limits: Limits = LIMITS
) -> Iterator[HashRow | Unreadable]:
    """Each row of a list, in the file's order; a line whose cells are all empty is passed over.

    Raises FormatRefused, naming the line, for what is no such list: what was given before that
    must not be kept.
    """
    lines = _Lines(pieces(stream, limits, any_unicode=True))
    first = next(lines, "")
    if not first:
        raise FormatRefused("line 1", "The file is empty.")
    separator = max(_SEPARATORS, key=first.count)
    rest: Iterator[str] = lines
    fields = _fields(_split(first, separator), profile, losses)
    if fields is None:
        fields = _fields_of_hashes(_split(first, separator))
        rest = _again(first, lines)
    count = 0
    try:
        for cells in csv.reader(rest, delimiter=separator):
            if not any(cells):
                continue
            count += 1
            if count > limits.max_rows:
                raise FormatRefused(lines.place, f"More than {limits.max_rows:,} rows.")
            yield _read_row(cells, fields, lines.place, losses)
    except csv.Error as error:
        raise FormatRefused(lines.place, f"This is no list of cells: {error}.") from None


def write(rows: Iterable[HashRow], stream: Writable, losses: Losses) -> None:
    """Write a list that :func:`read` gives back as it was: UTF-8, commas, CR LF (RFC 4180)."""
    writer = csv.writer(_Encoded(stream), lineterminator="\r\n")
    writer.writerow(_OWN)
    for row in rows:
        labels = [label.replace(JOIN, "/") for label in row.labels]
        if labels != list(row.labels):
            losses.add(f"a {JOIN!r} in a label", "is written as '/'", row.place)
        facts = (f"{name}={'yes' if said else 'no'}" for name, said in row.facts)
        writer.writerow(
            guarded(str(cell))
            for cell in (
                *(row.source_id, row.kind or "", row.sha256 or "", row.sha1 or ""),
                *(row.md5 or "", row.pdq or "", "" if row.quality is None else row.quality),
                *(row.photodna or "", row.category, JOIN.join(labels), JOIN.join(facts)),
                row.contributor,
                values.utc_text(row.changed, timespec="microseconds") if row.changed else "",
                "" if row.size is None else row.size,
                "yes" if row.withdrawn else "",
            )
        )


def guarded(cell: str) -> str:
    """A cell that no spreadsheet runs."""
    return f"'{cell}" if cell.startswith((*_RUN, "'")) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in {*_RUN, "'"} else cell


def _split(line: str, separator: str) -> list[str]:
    cells = next(csv.reader([line], delimiter=separator), [])
    if len(cells) > MOST_COLUMNS:
        raise FormatRefused("line 1", f"There are more than {MOST_COLUMNS} columns.")
    return cells


def _fields(heads: list[str], profile: Profile, losses: Losses) -> list[str] | None:
    """The field of each column, empty where it is not kept; None when these are no headings."""
    names = [head.strip().lower() for head in heads]
    fields = [profile.headings.get(name, "") for name in names]
    if not set(fields) & DIGITS.keys():
        return None
    for position, name in enumerate(names):
        if not fields[position] and name:
            why = profile.lost.get(name, "is not known and not kept")
            losses.add(f"column {heads[position].strip()[:60]!r}", why, "line 1")
    named = [name for name in fields if name and name != "labels"]
    if len(named) > len(set(named)):
        raise FormatRefused("line 1", "Two columns mean the same. Take one of them out.")
    return fields


def _fields_of_hashes(cells: list[str]) -> list[str]:
    fields = [_BY_LENGTH.get(len(cell.strip()), "") for cell in cells]
    for name, cell in zip(fields, cells, strict=True):
        if not name or values.digest(name, cell, "line 1") is None:
            raise FormatRefused(
                "line 1",
                "No heading names a hash (sha256, sha1, md5, pdq, photodna), and the cells are "
                "not hashes either.",
            )
    if len(fields) > len(set(fields)):
        raise FormatRefused("line 1", "Without headings, only one column of each length is read.")
    return fields


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _read_row(
    cells: list[str], fields: list[str], place: str, losses: Losses
) -> HashRow | Unreadable:
    if len(cells) > len(fields) and any(cells[len(fields) :]):
        return Unreadable(place, "There are more cells than headings.")
    said = {
        name: _unguarded(cell.strip()) for name, cell in zip(fields, cells, strict=False) if name
    }
    try:
        return _row(said, place, losses)
    except FormatRefused as refused:
        return Unreadable(place, refused.message.removeprefix(f"{place}: "))


def _row(said: Mapping[str, str], place: str, losses: Losses) -> HashRow:
    note = partial(losses.add, place=place)
    photodna = values.photodna(said.get("photodna"))
    if said.get("photodna") and photodna is None:
        losses.add("photodna", "is not 144 bytes and is not kept", place)
    series = said.get("series", "")
    labels = values.words(said.get("labels", "").replace(",", JOIN).split(JOIN))
    return HashRow(
        sha256=values.digest("sha256", said.get("sha256"), place),
        sha1=values.digest("sha1", said.get("sha1"), place),
        md5=values.digest("md5", said.get("md5"), place),
        pdq=values.digest("pdq", said.get("pdq"), place),
        quality=_understood("quality", lambda cell: values.whole_number(cell, 100), said, note),
        photodna=photodna,
        kind=_understood("kind", values.kind_of_media_type, said, note),
        category=values.text(said.get("category")),
        labels=(*labels, *values.words([f"series:{series}"] if series.strip() else [])),
        facts=_facts(said, place, losses),
        source_id=values.text(said.get("id")),
        contributor=values.text(said.get("contributor")),
        changed=_understood("changed", values.moment, said, note),
        size=_understood("size", values.whole_number, said, note),
        withdrawn=values.boolean(said.get("withdrawn")) is True,
        place=place,
    )


def _understood(
    name: str, read_cell: Callable[[str], T | None], said: Mapping[str, str], note: Note
) -> T | None:
    cell = said.get(name, "")
    found = read_cell(cell) if cell else None
    if found is None and cell:
        note(name, "cannot be understood and is not kept")
    return found


def _facts(said: Mapping[str, str], place: str, losses: Losses) -> tuple[tuple[str, bool], ...]:
    given = {name[5:]: cell for name, cell in said.items() if name.startswith("fact:")}
    for part in said.get("facts", "").split(JOIN):
        name, _, cell = part.partition("=")
        if name.strip():
            given[name.strip()] = cell
    facts = {name: values.boolean(cell) for name, cell in given.items() if cell}
    for name, fact in facts.items():
        if fact is None:
            losses.add(f"fact {name[:40]!r}", "is neither yes nor no and is not kept", place)
    return tuple(sorted((name, fact) for name, fact in facts.items() if fact is not None))


class _Lines:
    """Lines of a file, each of bounded length, and which one was read last."""

    def __init__(self, raw: Iterator[bytes]) -> None:
        self.number = 0
        self._lines = self._cut(raw)

    @property
    def place(self) -> str:
        return f"line {max(self.number, 1)}"

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        if len(line) > LONGEST_LINE:
            raise FormatRefused(self.place, f"The line is longer than {LONGEST_LINE:,} bytes.")
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise FormatRefused(self.place, "This is not UTF-8 text; save it as UTF-8.") from None
        if "\0" in text:
            raise FormatRefused(self.place, "There is a zero byte: this is no text.")
        return text

    def _cut(self, raw: Iterator[bytes]) -> Iterator[bytes]:
        kept = b""
        for piece in raw:
            lines = (kept + piece).splitlines(keepends=True)
            kept = lines.pop() if lines else b""
            yield from lines
            if len(kept) > LONGEST_LINE:
                yield kept
        if kept:
            yield kept


class _Encoded:
    """What the csv module writes to, over a binary file."""

    def __init__(self, stream: Writable) -> None:
        self._stream = stream

    def write(self, text: str) -> object:
        return self._stream.write(text.encode())
