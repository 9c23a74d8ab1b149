"""A figure: a number that says what it counts, so that unlike things are never added up."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Counts(StrEnum):
    """What a figure counts, or, for DAY, measures."""

    REPORT = "report"
    ADDRESS = "address"
    IMAGE = "image"
    VIDEO = "video"
    CHILD = "child"
    HASH = "hash"
    DAY = "day"

    @property
    def plural(self) -> str:
        """The word for several."""
        words = {self.ADDRESS: "addresses", self.CHILD: "children", self.HASH: "hashes"}
        return words.get(self, f"{self.value}s")


class UnlikeFigures(TypeError):
    """Two figures that were to be added count different things, or are no counts at all."""


@dataclass(frozen=True)
class Figure:
    """One number of the record.

    Figures of one kind can be added (``sum`` works too). Adding others raises UnlikeFigures: three
    reports and two addresses are not five of anything, and two medians have no sum.
    """

    key: str
    label: str
    counts: Counts
    #: None where there is nothing to compute it from: that is not zero.
    value: int | float | None
    #: How it is counted, for whoever quotes it.
    note: str

    def __add__(self, other: object) -> Self:
        if not isinstance(other, Figure):
            return NotImplemented
        if Counts.DAY in {self.counts, other.counts}:
            raise UnlikeFigures(
                f"'{self.label}' and '{other.label}' cannot be added: a duration is not a count."
            )
        if self.counts != other.counts:
            raise UnlikeFigures(
                f"'{self.label}' counts {self.counts.plural} and '{other.label}' counts "
                f"{other.counts.plural}: they cannot be added."
            )
        return type(self)(
            key=f"{self.key}+{other.key}",
            label=f"{self.label} and {other.label}",
            counts=self.counts,
            value=(self.value or 0) + (other.value or 0),
            note=f"{self.note} {other.note}",
        )

    def __radd__(self, other: object) -> Self:
        # sum() begins with 0, which counts nothing.
        return self if other == 0 else NotImplemented

    @property
    def shown(self) -> str:
        """The value as a page shows it."""
        if self.value is None:
            return "n/a"
        return f"{self.value:,.1f}" if self.counts == Counts.DAY else f"{self.value:,}"

    @property
    def unit(self) -> str:
        """The word beside the value."""
        return self.counts.value if self.value == 1 else self.counts.plural
