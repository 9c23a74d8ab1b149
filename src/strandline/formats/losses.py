"""What a mapping could not carry: each kind of loss once, with how often and where first."""

from collections.abc import Iterator
from dataclasses import dataclass

#: Kinds of losses that are told apart; a file full of invented fields must not fill memory.
MOST_KINDS = 200
_FURTHER = ("further fields", "are not kept")


@dataclass(frozen=True)
class Loss:
    """One thing that was not carried over."""

    #: The field in the words of the format, e.g. ``MediaFiles``.
    field: str
    #: What became of it, so that ``field why`` is a sentence: ``is not kept: data of a case``.
    why: str
    rows: int
    #: Where it happened first; empty where rows have no place.
    first: str

    @property
    def text(self) -> str:
        """The loss as a sentence."""
        where = f", first at {self.first}" if self.first else ""
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        return f"{self.field} {self.why} ({rows}{where})."


class Losses:
    """Counts losses while rows are read or written; iterate for what was lost, in order met."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[int, str]] = {}

    def add(self, field: str, why: str, place: str = "", *, rows: int = 1) -> None:
        """Count one more; only the first place is kept."""
        key = (field[:80], why[:200])
        if key not in self._found and len(self._found) >= MOST_KINDS:
            key = _FURTHER
        counted, first = self._found.get(key, (0, place))
        self._found[key] = (counted + rows, first)

    def __iter__(self) -> Iterator[Loss]:
        for (field, why), (rows, first) in self._found.items():
            yield Loss(field, why, rows, first)

    def __len__(self) -> int:
        return len(self._found)

    @property
    def sentences(self) -> list[str]:
        """Every loss as a sentence."""
        return [loss.text for loss in self]
