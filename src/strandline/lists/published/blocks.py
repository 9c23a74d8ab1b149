"""Blocks: many events of one class, column by column, as numpy arrays.

What is published, fetched and applied moves in blocks of some ten thousand events, so that a list
of millions streams through little memory and at the speed of arrays. An :class:`Event` stands for
one row where a person or a test looks at it.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from strandline.errors import ListRefused
from strandline.lists.published.classes import Action, Column, EntryClass
from strandline.lists.published.events import MOST, WIDTHS, Entry, Event, Fingerprints, Frame, Kind
from strandline.lists.published.values import Values

#: Numbers that stand for actions and kinds in arrays and files; a row without an entry has kind 0.
ACTIONS = {
    Action.ADD: 1,
    Action.AMEND: 2,
    Action.WITHDRAW: 3,
    Action.QUARANTINE: 4,
    Action.RESTORE: 5,
}
KINDS = {Kind.IMAGE: 1, Kind.VIDEO: 2}
_ACTION_OF = {code: action for action, code in ACTIONS.items()}
_KIND_OF = {code: kind for kind, code in KINDS.items()}

Rows = slice | npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Block:
    """Events of one class in order of sequence, n rows. Raises ListRefused when they cannot be.

    A row of a snapshot is an addition, or, where the entry is under quarantine, a quarantine that
    tells the entry as well: the only quarantine with a kind and values.
    """

    entry_class: EntryClass
    #: uint64[n], rising.
    sequence: npt.NDArray[np.uint64]
    #: uint64[n]: of the entry.
    number: npt.NDArray[np.uint64]
    #: uint8[n], see ``ACTIONS``.
    action: npt.NDArray[np.uint8]
    #: uint8[n], see ``KINDS``; 0 in a row that tells no entry.
    kind: npt.NDArray[np.uint8]
    #: uint32[n]: place in ``reasons``.
    reason: npt.NDArray[np.uint32]
    #: uint32[n]: place in ``pipelines``; 0 in a row that tells no entry, and only there.
    pipeline: npt.NDArray[np.uint32]
    #: Words; the first is empty.
    reasons: tuple[str, ...] = ("",)
    pipelines: tuple[str, ...] = ("",)
    #: Only columns that are known; one that is missing was not asked for, or no row has it.
    columns: Mapping[Column, Values] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise ListRefused(f"Events of class {self.entry_class.id} {problem}.")

    def __len__(self) -> int:
        return len(self.sequence)

    @property
    def tells(self) -> npt.NDArray[np.bool_]:
        """bool[n]: rows that say what an entry is."""
        return self.kind > 0

    @property
    def frames(self) -> npt.NDArray[np.int64]:
        """int64[n]: fingerprinted frames of each row."""
        counts = np.zeros(len(self), np.int64)
        films = self.columns.get(Column.VIDEO)
        if films is not None and films.counts is not None:
            counts[films.present] = films.counts
        return counts

    @classmethod
    def of(cls, events: Iterable[Event], entry_class: EntryClass | None = None) -> Self:
        """Rows for ``events``, all of one class; name the class where there may be none.

        A quality without a pdq is not kept. Raises ListRefused when classes are mixed.
        """
        rows = list(events)
        if entry_class is None:
            if not rows:
                raise ListRefused("A block of no events does not tell which class it is of.")
            entry_class = rows[0].entry_class
        if any(row.entry_class != entry_class for row in rows):
            raise ListRefused("The events of one block must be of one class.")
        entries = [row.entry for row in rows]
        reasons, reason = _words([row.reason for row in rows])
        pipelines, pipeline = _words([entry.pipeline if entry else "" for entry in entries])
        return cls(
            entry_class,
            np.array([row.sequence for row in rows], np.uint64),
            np.array([row.number for row in rows], np.uint64),
            np.array([ACTIONS[row.action] for row in rows], np.uint8),
            np.array([KINDS[entry.kind] if entry else 0 for entry in entries], np.uint8),
            reason,
            pipeline,
            reasons,
            pipelines,
            _columns([entry.fingerprints if entry else None for entry in entries]),
        )

    def events(self) -> Iterator[Event]:
        """Each row as an event; a row of a snapshot under quarantine as addition alone.

        Raises ListRefused at an entry none of whose known columns has a value.
        """
        fingerprints = self._fingerprints()
        rows = zip(
            self.sequence.tolist(),
            self.number.tolist(),
            self.action.tolist(),
            self.kind.tolist(),
            self.reason.tolist(),
            self.pipeline.tolist(),
            strict=True,
        )
        for sequence, number, action, kind, reason, pipeline in rows:
            entry = None
            if kind:
                entry = Entry(
                    number,
                    self.entry_class,
                    _KIND_OF[kind],
                    self.pipelines[pipeline],
                    Fingerprints(**next(fingerprints)),
                )
            snapshot = kind and action == ACTIONS[Action.QUARANTINE]
            yield Event(
                sequence,
                Action.ADD if snapshot else _ACTION_OF[action],
                number,
                self.entry_class,
                self.reasons[reason],
                entry,
            )

    def take(self, rows: Rows) -> Self:
        """The chosen rows, in order: a slice, or bool[n]."""
        return replace(
            self,
            sequence=self.sequence[rows],
            number=self.number[rows],
            action=self.action[rows],
            kind=self.kind[rows],
            reason=self.reason[rows],
            pipeline=self.pipeline[rows],
            columns={name: values.take(rows) for name, values in self.columns.items()},
        )

    def only(self, columns: Iterable[Column]) -> Self:
        """The same rows with the values of ``columns`` alone."""
        kept = set(columns)
        known = {name: values for name, values in self.columns.items() if name in kept}
        return replace(self, columns=known)

    @classmethod
    def join(cls, blocks: Sequence[Self]) -> Self:
        """The rows of one or more blocks of one class, one after another."""
        first = blocks[0]
        if len(blocks) == 1:
            return first
        if any(block.entry_class != first.entry_class for block in blocks):
            raise ListRefused("Blocks of several classes cannot be joined.")
        reasons, reason = _join_words([(block.reasons, block.reason) for block in blocks])
        pipelines, pipeline = _join_words([(block.pipelines, block.pipeline) for block in blocks])
        names = {name for block in blocks for name in block.columns}
        return cls(
            first.entry_class,
            np.concatenate([block.sequence for block in blocks]),
            np.concatenate([block.number for block in blocks]),
            np.concatenate([block.action for block in blocks]),
            np.concatenate([block.kind for block in blocks]),
            reason,
            pipeline,
            reasons,
            pipelines,
            {
                name: Values.join(
                    [block.columns.get(name) or Values.none(name, len(block)) for block in blocks]
                )
                for name in Column
                if name in names
            },
        )

    def _fingerprints(self) -> Iterator[dict[str, Any]]:
        """Arguments of Fingerprints for each row that tells an entry."""
        tells = self.tells
        parts: list[Iterator[dict[str, Any]]] = []
        for name, values in self.columns.items():
            told = values.take(tells)
            parts.append(_films(told) if name is Column.VIDEO else _hashes(name, told))
        if not parts:
            parts.append(itertools.repeat({}, int(tells.sum())))
        for row in zip(*parts, strict=True):
            yield {key: value for part in row for key, value in part.items()}

    def _problem(self) -> str | None:
        n = len(self)
        arrays = (self.number, self.action, self.kind, self.reason, self.pipeline)
        if any(len(array) != n for array in arrays):
            return "have columns of several lengths"
        tells = self.tells
        action = self.action
        telling = (action == 1) | (action == 2)
        checks = {
            "are not in order of sequence": (
                n == 0
                or (
                    self.sequence[0] >= 1
                    and self.sequence[-1] <= MOST
                    and bool((self.sequence[1:] > self.sequence[:-1]).all())
                )
            ),
            "name an entry by a number that cannot be": bool(
                ((self.number >= 1) & (self.number <= MOST)).all()
            ),
            "do something unknown": bool(((action >= 1) & (action <= 5)).all()),
            "are about something unknown": bool((self.kind <= len(KINDS)).all()),
            "tell an entry where they should only name it, or the other way round": bool(
                (tells | ~telling).all() and (~tells | telling | (action == 4)).all()
            ),
            "lack a pipeline or a reason": (
                not (self.reasons[0] or self.pipelines[0])
                and bool((self.reason < len(self.reasons)).all())
                and bool((self.pipeline < len(self.pipelines)).all())
                and bool(((self.pipeline > 0) == tells).all())
            ),
            "have hashes where no entry is told": all(
                len(values.present) == n and bool((tells | ~values.present).all())
                for values in self.columns.values()
            ),
        }
        return next((problem for problem, holds in checks.items() if not holds), None)


def _words(words: list[str]) -> tuple[tuple[str, ...], npt.NDArray[np.uint32]]:
    table = ("", *sorted(set(words) - {""}))
    place = {word: index for index, word in enumerate(table)}
    return table, np.array([place[word] for word in words], np.uint32)


def _join_words(
    tables: list[tuple[tuple[str, ...], npt.NDArray[np.uint32]]],
) -> tuple[tuple[str, ...], npt.NDArray[np.uint32]]:
    joined = ("", *sorted({word for words, _ in tables for word in words} - {""}))
    place = {word: index for index, word in enumerate(joined)}
    moved = [
        np.array([place[word] for word in words], np.uint32)[places] for words, places in tables
    ]
    return joined, np.concatenate(moved)


def _columns(told: list[Fingerprints | None]) -> dict[Column, Values]:
    found: dict[Column, Values] = {}
    for column in WIDTHS:
        texts = [getattr(each, column.value) if each else None for each in told]
        values = Values.of_hex(column, texts)
        if column is Column.PDQ:
            kept = [each.quality for each in told if each and each.pdq is not None]
            values = replace(values, quality=np.array(kept, np.uint8))
        found[column] = values
    found[Column.VIDEO] = Values.of_films([each.video if each else () for each in told])
    return {column: found[column] for column in Column if found[column].present.any()}


def _hashes(name: Column, values: Values) -> Iterator[dict[str, Any]]:
    width = 2 * WIDTHS[name]
    digits = values.data.tobytes().hex()
    quality = values.quality.tolist() if values.quality is not None else None
    at = 0
    for present in values.present.tolist():
        if not present:
            yield {}
            continue
        told: dict[str, Any] = {name.value: digits[at * width : (at + 1) * width]}
        if quality is not None:
            told["quality"] = quality[at]
        at += 1
        yield told


def _films(values: Values) -> Iterator[dict[str, Any]]:
    assert values.counts is not None
    assert values.ms is not None
    assert values.quality is not None
    digits = values.data.tobytes().hex()
    texts = (digits[at : at + 64] for at in range(0, len(digits), 64))
    frames = map(Frame, values.ms.tolist(), values.quality.tolist(), texts)
    counts = iter(values.counts.tolist())
    for present in values.present.tolist():
        yield {"video": tuple(itertools.islice(frames, next(counts)))} if present else {}
