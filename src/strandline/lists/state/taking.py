"""Blocks as one table: a row for each event, with what the event tells of its entry."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strandline.errors import ListRefused
from strandline.lists.published.blocks import ACTIONS, Block
from strandline.lists.published.classes import Action, Column
from strandline.lists.published.events import WIDTHS
from strandline.lists.state.outcome import LISTED_UNDER_QUARANTINE, Happened
from strandline.lists.state.table import FRAME, SCALARS, Table, Words

_QUARANTINE = ACTIONS[Action.QUARANTINE]


def happened(steps: Sequence[tuple[int, Sequence[Block], bool]], words: Words) -> Happened:
    """Gather events; ``words`` gets the classes and pipelines that they name.

    Args:
        steps: edition, blocks, and whether these are the rows of a snapshot.
        words: added to.

    Raises:
        ListRefused: a row that only a snapshot can have is elsewhere.
    """
    scalars: dict[str, list[NDArray[Any]]] = {name: [] for name in SCALARS}
    actions = []
    told = [(edition, block, snapshot) for edition, some, snapshot in steps for block in some]
    blocks = [block for _, block, _ in told]
    for edition, block, snapshot in told:
        actions.append(_actions(block, snapshot=snapshot))
        known = np.array([words.pipeline_place(each) for each in block.pipelines], np.uint16)
        place = words.class_place(block.entry_class)
        scalars["number"].append(block.number)
        scalars["sequence"].append(block.sequence)
        scalars["edition"].append(np.full(len(block), edition, np.uint32))
        scalars["entry_class"].append(np.full(len(block), place, np.uint16))
        scalars["pipeline"].append(known[block.pipeline])
        scalars["kind"].append(block.kind)
        scalars["state"].append(np.zeros(len(block), np.uint8))
        scalars["quality"].append(_qualities(block))
    arrays = {name: _joined(scalars[name], kind) for name, kind in SCALARS.items()}
    firsts = np.cumsum([0, *map(len, blocks)])
    for column, width in WIDTHS.items():
        rows, data = [], []
        for block, first in zip(blocks, firsts.tolist(), strict=False):
            if values := block.columns.get(column):
                rows.append(np.flatnonzero(values.present) + first)
                data.append(values.data)
        arrays[f"{column}.rows"] = _joined(rows, np.uint32)
        arrays[f"{column}.data"] = np.concatenate([np.zeros((0, width), np.uint8), *data])
    arrays |= _films(blocks, firsts.tolist())
    return Happened(Table(arrays), _joined(actions, np.uint8))


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


def _films(blocks: Sequence[Block], firsts: Sequence[int]) -> dict[str, NDArray[Any]]:
    rows, counts, frames = [], [], []
    for block, first in zip(blocks, firsts, strict=False):
        values = block.columns.get(Column.VIDEO)
        if values is None or values.counts is None:
            continue
        rows.append(np.flatnonzero(values.present) + first)
        counts.append(values.counts)
        records = np.zeros(len(values.data), FRAME)
        records["ms"], records["quality"] = values.ms, values.quality
        records["pdq"] = values.data
        frames.append(records)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(_joined(counts, np.int64))])
    return {
        "video.rows": _joined(rows, np.uint32),
        "video.starts": starts,
        "video.frames": np.concatenate([np.zeros(0, FRAME), *frames]),
    }


def _joined(arrays: Sequence[NDArray[Any]], kind: Any) -> NDArray[Any]:  # noqa: ANN401 - whatever numpy takes for a dtype
    return np.concatenate([np.zeros(0, kind), *arrays]).astype(kind, copy=False)
