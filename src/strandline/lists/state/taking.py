"""Blocks as one table: a row for each event, with what the event tells of its entry."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strandline.errors import ListRefused
from strandline.lists.published.blocks import ACTIONS, Block
from strandline.lists.published.classes import Action, Column
from strandline.lists.published.events import WIDTHS
from strandline.lists.state.gathering import Gathered
from strandline.lists.state.outcome import LISTED_UNDER_QUARANTINE, Happened
from strandline.lists.state.table import FRAME, SCALARS, Table, Words

_QUARANTINE = ACTIONS[Action.QUARANTINE]


def happened(
    steps: Iterable[tuple[int, Iterable[Block], bool]], words: Words, scratch: Path
) -> Happened:
    """Gather events, one block at a time; ``words`` gets the classes and pipelines they name.

    Args:
        steps: edition, blocks, and whether these are the rows of a snapshot.
        words: added to.
        scratch: a folder where much may lie until it is gone through.

    Raises:
        ListRefused: a row that only a snapshot can have is elsewhere.
        OSError: there is no room for what is gathered.
    """
    rows = _Rows(scratch)
    for edition, blocks, snapshot in steps:
        for block in blocks:
            rows.add(block, edition, words, snapshot=snapshot)
    return rows.happened()


class _Rows:
    """Rows gathered so far."""

    def __init__(self, scratch: Path) -> None:
        self._count = 0
        self._films = 0
        self._actions = Gathered(np.uint8, scratch)
        self._arrays = {name: Gathered(kind, scratch) for name, kind in SCALARS.items()}
        for column, width in WIDTHS.items():
            self._arrays[f"{column}.rows"] = Gathered(np.uint32, scratch)
            self._arrays[f"{column}.data"] = Gathered(np.uint8, scratch, width)
        self._arrays["video.rows"] = Gathered(np.uint32, scratch)
        self._arrays["video.starts"] = Gathered(np.int64, scratch)
        self._arrays["video.frames"] = Gathered(FRAME, scratch)
        self._arrays["video.starts"].add(np.zeros(1, np.int64))

    def add(self, block: Block, edition: int, words: Words, *, snapshot: bool) -> None:
        """Append the rows of a block."""
        n = len(block)
        known = np.array([words.pipeline_place(each) for each in block.pipelines], np.uint16)
        place = words.class_place(block.entry_class)
        told: dict[str, NDArray[Any]] = {
            "number": block.number,
            "sequence": block.sequence,
            "edition": np.full(n, edition, np.uint32),
            "entry_class": np.full(n, place, np.uint16),
            "pipeline": known[block.pipeline],
            "kind": block.kind,
            "state": np.zeros(n, np.uint8),
            "quality": _qualities(block),
        }
        self._actions.add(_actions(block, snapshot=snapshot))
        for name, array in told.items():
            self._arrays[name].add(array)
        for column in WIDTHS:
            if values := block.columns.get(column):
                self._arrays[f"{column}.rows"].add(np.flatnonzero(values.present) + self._count)
                self._arrays[f"{column}.data"].add(values.data)
        self._add_films(block)
        self._count += n

    def _add_films(self, block: Block) -> None:
        values = block.columns.get(Column.VIDEO)
        if values is None or values.counts is None:
            return
        self._arrays["video.rows"].add(np.flatnonzero(values.present) + self._count)
        self._arrays["video.starts"].add(self._films + np.cumsum(values.counts, dtype=np.int64))
        self._films += int(values.counts.sum())
        records = np.zeros(len(values.data), FRAME)
        records["ms"], records["quality"] = values.ms, values.quality
        records["pdq"] = values.data
        self._arrays["video.frames"].add(records)

    def happened(self) -> Happened:
        """All of them."""
        arrays = {name: array.whole() for name, array in self._arrays.items()}
        return Happened(Table(arrays), self._actions.whole())


def _actions(block: Block, *, snapshot: bool) -> NDArray[np.uint8]:
    listed = (block.action == _QUARANTINE) & block.tells
    if not snapshot:
        if listed.any():
            raise ListRefused("A row of a snapshot is among the events of an edition.")
        return block.action
    return np.where(listed, LISTED_UNDER_QUARANTINE, block.action).astype(np.uint8)


def _qualities(block: Block) -> NDArray[np.uint8]:
    quality = np.zeros(len(block), np.uint8)
    values = block.columns.get(Column.PDQ)
    if values is not None and values.quality is not None:
        quality[values.present] = values.quality
    return quality
