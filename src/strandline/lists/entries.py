"""One entry of a published list, and the one line of text that stands for it.

A line is canonical JSON (RFC 8785: sorted keys, no spaces, UTF-8), so that the same entries give
the same bytes on every machine, and a changed byte is either another entry or refused.
"""

import itertools
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields

from strandline.errors import ListRefused

#: Longest text in a field; ids, categories and labels are words, not prose.
MAX_TEXT = 200
MAX_LABELS = 50
#: One encoder for all lines: making one takes longer than a line.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
_HEX = re.compile(r"[0-9a-f]+")
_DIGESTS = {"md5": 32, "sha1": 40, "sha256": 64, "pdq": 64}


@dataclass(frozen=True)
class Entry:
    """A picture that two people confirmed, as members receive it: fingerprints, never the picture.

    Raises ListRefused when a field does not hold what the format promises.
    """

    #: 1 or more; given once, never reused. Members resume from it.
    sequence: int
    #: Stable name of the entry; a match reports it.
    id: str
    #: What was fingerprinted, for example ``image``.
    kind: str
    #: Digests of the bytes as found, lower-case hex.
    sha256: str
    sha1: str
    md5: str
    #: 64 lower-case hex digits, or None where there is none.
    pdq: str | None
    #: PDQ quality, 0 to 100. Below 50 the pdq is not compared.
    quality: int
    #: Version of the decoding and hashing that made the pdq.
    pipeline: str
    category: str
    #: Kept sorted and without repeats.
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(sorted(set(self.labels))))
        _check_number(self, "sequence", 1, 2**53 - 1)
        _check_number(self, "quality", 0, 100)
        for name in ("id", "kind", "pipeline", "category"):
            _check_text(self, name, getattr(self, name))
        if len(self.labels) > MAX_LABELS:
            raise ListRefused(f"Entry {self.id!r} has more than {MAX_LABELS} labels.")
        for label in self.labels:
            _check_text(self, "label", label)
        if " " in self.pipeline:
            raise ListRefused(f"Entry {self.id!r}: a pipeline version must not contain spaces.")
        for name, digits in _DIGESTS.items():
            value = getattr(self, name)
            if value is None and name == "pdq":
                continue
            if not isinstance(value, str) or len(value) != digits or not _HEX.fullmatch(value):
                raise ListRefused(
                    f"Entry {self.id!r}: {name} must be {digits} lower-case hexadecimal digits."
                )

    def line(self) -> str:
        """The entry as canonical JSON, with its newline."""
        return _canonical(vars(self)) + "\n"


_FIELDS = {field.name for field in fields(Entry)}


def encode_entries(entries: Iterable[Entry]) -> bytes:
    """The entries file: one line each, by sequence.

    Raises ListRefused when two entries share a sequence number or an id.
    """
    ordered = sorted(entries, key=lambda entry: entry.sequence)
    _check_distinct(ordered)
    return "".join(entry.line() for entry in ordered).encode("utf-8")


def decode_entries(data: bytes) -> list[Entry]:
    """Read an entries file; raises ListRefused unless ``encode_entries`` writes the same."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ListRefused("The entries file is not UTF-8. It was not used.") from None
    if text and not text.endswith("\n"):
        raise ListRefused("The entries file is cut off in its last line. It was not used.")
    entries = [_decode(number, line) for number, line in enumerate(text.split("\n")[:-1], 1)]
    if any(b.sequence <= a.sequence for a, b in itertools.pairwise(entries)):
        raise ListRefused("The entries file is not in order of sequence. It was not used.")
    _check_distinct(entries)
    return entries


def _decode(number: int, line: str) -> Entry:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        raise ListRefused(f"Line {number} of the entries file is not JSON.") from None
    if not isinstance(values, dict) or values.keys() != _FIELDS:
        raise ListRefused(
            f"Line {number} of the entries file does not have the fields this version knows. "
            "It was not used; a newer strandline may read it."
        )
    labels = values["labels"]
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ListRefused(f"Line {number} of the entries file: labels must be a list of words.")
    entry = Entry(**(values | {"labels": tuple(labels)}))
    if entry.line() != line + "\n":
        raise ListRefused(f"Line {number} of the entries file is not in its canonical form.")
    return entry


def _check_distinct(entries: list[Entry]) -> None:
    ids: set[str] = set()
    sequences: set[int] = set()
    for entry in entries:
        if entry.id in ids or entry.sequence in sequences:
            raise ListRefused(
                f"Two entries share the id {entry.id!r} or the sequence number {entry.sequence}."
            )
        ids.add(entry.id)
        sequences.add(entry.sequence)


def _check_number(entry: Entry, name: str, least: int, most: int) -> None:
    value = getattr(entry, name)
    # bool is an int in Python, and true is not 1 in JSON.
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ListRefused(f"Entry {entry.id!r}: {name} must be between {least} and {most}.")


def _check_text(entry: Entry, name: str, value: object) -> None:
    fits = isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable()
    if not fits:
        raise ListRefused(
            f"Entry {entry.id!r}: {name} must be 1 to {MAX_TEXT} printable characters."
        )
