"""What a source's words mean here: the class that a row of theirs belongs in, or that it has none.

Nothing is guessed: A1 of one law is not A of another. A word that the source's table does not name
leaves its row out, and the preview says which words those are.
"""

from strandline.errors import ListRefused
from strandline.formats import HashRow, Kind, Losses
from strandline.hashing import MIN_QUALITY
from strandline.hotline.assessment.words import ILLEGAL, Provenance
from strandline.hotline.errors import ExchangeRefused
from strandline.hotline.exchange.models import Source
from strandline.hotline.hashlist.services import Identity
from strandline.lists.published import events as lists
from strandline.lists.published.classes import EntryClass

#: Stands for "left out" in a table of meanings, and for a row without a category.
LEFT_OUT = "-"
NO_WORD = "(none)"
#: The pipeline of perceptual hashes that somebody else made.
RECEIVED = "received"
MOST_MEANINGS = 200
_CATEGORIES = frozenset(category.value for category in ILLEGAL)
_KINDS = {Kind.IMAGE: lists.Kind.IMAGE, Kind.VIDEO: lists.Kind.VIDEO, None: lists.Kind.IMAGE}


def read_meanings(text: str) -> dict[str, str]:
    """A table from lines ``their word = category provenance`` (provenance may be left out).

    ``their word = -`` leaves rows out. Raises ExchangeRefused, naming the line.
    """
    meanings: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        word, equals, meaning = line.rpartition("=")
        word = " ".join(word.split())
        if not equals or not word or len(word) > 200:
            raise ExchangeRefused("meanings", f"Line {number}: write 'their word = ours'.")
        meanings[word] = _meaning(meaning.split(), number)
    if len(meanings) > MOST_MEANINGS:
        raise ExchangeRefused("meanings", f"At most {MOST_MEANINGS} words, please.")
    return meanings


def _meaning(parts: list[str], number: int) -> str:
    if parts == [LEFT_OUT]:
        return ""
    if len(parts) == 1:
        parts.append(Provenance.UNDETERMINED.value)
    if len(parts) != 2 or parts[0] not in _CATEGORIES or parts[1] not in Provenance.values:
        raise ExchangeRefused(
            "meanings",
            f"Line {number}: after '=' comes a category ({', '.join(sorted(_CATEGORIES))}), "
            f"perhaps a provenance ({', '.join(Provenance.values)}), or '-' to leave such rows "
            "out.",
        )
    return " ".join(parts)


def text_of(meanings: dict[str, str]) -> str:
    """The table as lines that :func:`read_meanings` reads, in order of their words."""
    return "\n".join(
        f"{word} = {meaning or LEFT_OUT}" for word, meaning in sorted(meanings.items())
    )


def word_of(row: HashRow) -> str:
    """The word that the table is asked for: the row's category, or that it has none."""
    return " ".join(row.category.split()) or NO_WORD


class Meanings:
    """A source's table, asked for row after row."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._classes: dict[str, EntryClass | None] = {
            word: self._class(meaning) if meaning else None
            for word, meaning in source.meanings.items()
        }

    def class_of(self, row: HashRow) -> EntryClass | None:
        """The class of a row; None where it is left out. Raises KeyError for an unknown word."""
        return self._classes[word_of(row)]

    def _class(self, meaning: str) -> EntryClass:
        category, provenance = meaning.split(" ")
        return EntryClass(
            category, provenance, self._source.jurisdiction, labels=tuple(self._source.labels)
        )


def identity_of(row: HashRow, entry_class: EntryClass, losses: Losses | None = None) -> Identity:
    """What is listed of a row; what it says besides is counted in ``losses``."""
    if losses is not None:
        _lose(row, losses)
    perceptual = bool(row.pdq)
    fingerprints = lists.Fingerprints(
        sha256=row.sha256,
        sha1=row.sha1,
        md5=row.md5,
        pdq=row.pdq,
        quality=(MIN_QUALITY if row.quality is None else row.quality) if perceptual else 0,
        photodna=row.photodna,
    )
    return Identity(
        fingerprints, entry_class, kind=_KINDS[row.kind], pipeline=RECEIVED if perceptual else "-"
    )


def _lose(row: HashRow, losses: Losses) -> None:
    if row.labels:
        losses.add("labels", "are not kept: only those of the source are given", row.place)
    if row.facts:
        losses.add("yes and no", "are not kept: entries do not carry them", row.place)
    if row.size is not None:
        losses.add("size", "is not kept: entries do not carry it", row.place)
    if row.kind is None:
        losses.add("kind", "is not said; the row is taken for an image", row.place)
    if row.pdq and row.quality is None:
        losses.add("quality", f"is not said; it is taken for {MIN_QUALITY}", row.place)


def check_words(jurisdiction: str, labels: list[str]) -> None:
    """Raise ExchangeRefused unless these can be part of a class."""
    try:
        EntryClass("A", "camera", jurisdiction, labels=tuple(labels))
    except ListRefused as refused:
        raise ExchangeRefused("labels", refused.message) from None
