"""How the rows of a delivery stand to the list: new, known, contradicting, or not for it.

The same bytes are one entry, so exact digests decide. Two different files may share a perceptual
hash: it decides only for a row that has nothing else.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from strandline.formats import HashRow, Losses, Unreadable
from strandline.hotline.assessment.words import Category
from strandline.hotline.exchange.meanings import Meanings, identity_of, word_of
from strandline.hotline.hashlist.checks import innocent_among
from strandline.hotline.hashlist.imports import RETURNING
from strandline.hotline.hashlist.models import Entry
from strandline.hotline.hashlist.portions import portions
from strandline.hotline.hashlist.services import Identity

#: The columns by which rows and entries are recognised; a perceptual one where there is no other.
_EXACT = ("sha256", "sha1", "md5")
_LIKENESS = ("pdq", "photodna")
#: Withdrawn for one of these, an entry may be listed again when it is sent again.
_MAY_RETURN = frozenset(why.value for why in RETURNING)


class Standing(StrEnum):
    """What a row is to the list; the value is what pages call it."""

    NEW = "new"
    KNOWN = "known"
    #: The same digest with another category, or paired with other digests.
    CONTRADICTING = "contradicting"
    #: A second row of the same delivery.
    REPEATED = "repeated"
    #: On the list of innocent pictures.
    INNOCENT = "innocent"
    #: It was in the list and somebody here took it off.
    WITHDRAWN_HERE = "withdrawn here"
    #: The source's table leaves its category out, or does not name it.
    LEFT_OUT = "left out"
    UNNAMED = "category not named"
    #: The source takes an earlier row back.
    SOURCE_WITHDREW = "withdrawn by the source"
    UNREADABLE = "unreadable"


class Held(NamedTuple):
    """What is asked of an entry in the list: a tenth of the cost of the whole row."""

    number: int
    state: str
    why: str
    category: str
    sha256: str
    sha1: str
    md5: str
    pdq: str
    photodna: str

    @property
    def name(self) -> str:
        """What a match reports."""
        return f"entry-{self.number}"


_COLUMNS = (
    *("number", "state", "why", "listed_class__category", "fingerprint__sha256"),
    *("fingerprint__sha1", "fingerprint__md5", "fingerprint__pdq", "fingerprint__photodna"),
)


@dataclass(frozen=True)
class Compared:
    """One row and what it is to the list."""

    row: HashRow | Unreadable
    standing: Standing
    #: A sentence where the standing alone does not say enough.
    why: str = ""
    #: What would be listed.
    identity: Identity | None = None
    #: The entries in the list that it concerns.
    entries: tuple[Held, ...] = ()
    #: The withdrawn entry that a new row brings back under its old number; 0 for none.
    returns: int = 0


def compare(
    rows: Sequence[HashRow | Unreadable], meanings: Meanings, losses: Losses | None = None
) -> list[Compared]:
    """Each of these rows, at most a few thousand, in order."""
    wanted: list[HashRow] = []
    settled: dict[int, Compared] = {}
    for place, row in enumerate(rows):
        aside = _set_aside(row, meanings)
        if aside is not None:
            settled[place] = aside
        else:
            assert isinstance(row, HashRow)
            wanted.append(row)
    judged = _judge(wanted, meanings, losses)
    return [settled.get(place) or next(judged) for place in range(len(rows))]


def _set_aside(row: HashRow | Unreadable, meanings: Meanings) -> Compared | None:
    if isinstance(row, Unreadable):
        return Compared(row, Standing.UNREADABLE, row.reason)
    if row.withdrawn:
        return Compared(row, Standing.SOURCE_WITHDREW)
    try:
        if meanings.class_of(row) is None:
            return Compared(row, Standing.LEFT_OUT)
    except KeyError:
        return Compared(row, Standing.UNNAMED, f"What does {word_of(row)[:60]!r} mean here?")
    return None


def _judge(
    rows: Sequence[HashRow], meanings: Meanings, losses: Losses | None
) -> Iterator[Compared]:
    identities = []
    for row in rows:
        entry_class = meanings.class_of(row)
        assert entry_class is not None
        identities.append(identity_of(row, entry_class, losses))
    innocent = innocent_among([(row.sha256 or "", row.pdq or "") for row in rows]) if rows else []
    held = _held(name for row in rows for name in names_of(row))
    seen: dict[tuple[str, str], Identity] = {}
    for row, identity, harmless in zip(rows, identities, innocent, strict=True):
        names = names_of(row)
        if harmless:
            yield Compared(row, Standing.INNOCENT, identity=identity)
            continue
        judged = _against(row, identity, _entries_of(row, held))
        before = next((seen[name] for name in names if name in seen), None)
        if judged.standing is Standing.NEW and before is not None:
            judged = Compared(row, Standing.REPEATED, identity=identity)
            if not _agree(before, identity):
                why = "Another row of this delivery says otherwise."
                judged = Compared(row, Standing.CONTRADICTING, why, identity)
        for name in names:
            seen.setdefault(name, identity)
        yield judged


def names_of(row: HashRow) -> list[tuple[str, str]]:
    """What the row is recognised by: its exact digests, or its likeness where it has none."""
    exact = [(name, value) for name in _EXACT if (value := getattr(row, name))]
    return exact or [(name, value) for name in _LIKENESS if (value := getattr(row, name))]


def _held(names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Held]]:
    """Entries, withdrawn ones too, by each of these digests; for a few thousand at once."""
    wanted: dict[str, set[str]] = {}
    for column, value in names:
        wanted.setdefault(column, set()).add(value)
    found: dict[tuple[str, str], list[Held]] = {}
    for column, values in wanted.items():
        for some in portions(sorted(values), 500):
            rows = Entry.objects.filter(**{f"fingerprint__{column}__in": some}).order_by()
            for row in rows.values_list(*_COLUMNS):
                held = Held(*row)
                found.setdefault((column, getattr(held, column)), []).append(held)
    return found


def _entries_of(row: HashRow, held: dict[tuple[str, str], list[Held]]) -> dict[int, Held]:
    return {entry.number: entry for name in names_of(row) for entry in held.get(name, ())}


def _against(row: HashRow, identity: Identity, found: dict[int, Held]) -> Compared:
    live = {
        number: entry for number, entry in found.items() if entry.state != Entry.State.WITHDRAWN
    }
    if not live:
        if all(entry.why in _MAY_RETURN for entry in found.values()):
            returns = _returning(row, found.values())
            return Compared(row, Standing.NEW, identity=identity, returns=returns)
        return Compared(row, Standing.WITHDRAWN_HERE, identity=identity)
    entries = tuple(live.values())
    if len(entries) > 1:
        names = " and ".join(entry.name for entry in entries[:3])
        why = f"Its hashes belong to {names}, which are different files."
        return Compared(row, Standing.CONTRADICTING, why, identity, entries)
    (entry,) = entries
    for name in _EXACT:
        ours, theirs = getattr(entry, name), getattr(row, name)
        if ours and theirs and ours != theirs:
            why = f"{entry.name} has one of its hashes, but another {name}."
            return Compared(row, Standing.CONTRADICTING, why, identity, entries)
    if entry.category != identity.entry_class.category:
        ours = _said(entry.category)
        why = f"{entry.name} is {ours} here, not {_said(identity.entry_class.category)}."
        return Compared(row, Standing.CONTRADICTING, why, identity, entries)
    return Compared(row, Standing.KNOWN, identity=identity, entries=entries)


def _returning(row: HashRow, withdrawn: Iterable[Held]) -> int:
    """The withdrawn entry that has the strongest digest of the row."""
    strongest = next(name for name in (*_EXACT, "photodna", "pdq") if getattr(row, name))
    same = (each for each in withdrawn if getattr(each, strongest) == getattr(row, strongest))
    return min((entry.number for entry in same), default=0)


def _agree(one: Identity, other: Identity) -> bool:
    if one.entry_class.category != other.entry_class.category:
        return False
    pairs = (
        (getattr(one.fingerprints, name), getattr(other.fingerprints, name)) for name in _EXACT
    )
    return all(mine == theirs for mine, theirs in pairs if mine and theirs)


def _said(category: str) -> str:
    return str(Category(category).label) if category in Category.values else category
