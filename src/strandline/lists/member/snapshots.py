"""A new snapshot against the history that a member holds: it must be what that comes to.

A page has one form, so the snapshot's files can be made here from the events that are held, and
compared by their digests with the published index: they need not be fetched. Where they differ,
which may be only how rows were cut into pages that hold columns outside the scope, the published
ones are fetched and compared row by row.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from strandline.errors import ListRefused
from strandline.lists.published import pages
from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import Column
from strandline.lists.published.editions import snapshot_path
from strandline.lists.published.index_file import Index, PageFile
from strandline.lists.published.reading import read_blocks
from strandline.lists.published.replay import replay, standing_rows

Read = Callable[[str], bytes]


def same_as_history(
    read: Read,
    history: Sequence[PageFile],
    index: Index,
    columns: Iterable[Column],
    *,
    keep: Callable[[str, bytes], None],
    fetch: Callable[[PageFile], None],
) -> None:
    """Hold the newest snapshot of a class, which is what ``history`` comes to; or ListRefused.

    Args:
        read: gives the bytes of a file that is held.
        history: the files from which the class is made up until the snapshot's edition.
        index: the published index, whose snapshot it is.
        columns: within the scope.
        keep: takes a file that was made here.
        fetch: gets a published file and keeps it.
    """
    columns = frozenset(columns)
    wanted = {file.path: file for file in index.current(columns) if file.is_snapshot}
    missing = dict(wanted)
    for path, data in _made(read, history, index, columns):
        file = missing.get(path)
        if file and hashlib.sha256(data).hexdigest() == file.sha256:
            keep(path, data)
            del missing[path]
    if not missing:
        return
    for file in missing.values():
        fetch(file)
    published = read_blocks(read, wanted.values())
    if _content(published, columns) != _content(_rows(read, history), columns):
        raise ListRefused(
            f"The snapshot of class {index.entry_class.name!r} as of edition {index.snapshot} is "
            "not what the events held here come to: the publisher's history was changed."
        )


def _made(
    read: Read, history: Sequence[PageFile], index: Index, columns: frozenset[Column]
) -> Iterator[tuple[str, bytes]]:
    base = f"{snapshot_path(index.snapshot)}/{index.entry_class.id}"
    try:
        for number, block in enumerate(pages.in_pages(_rows(read, history))):
            yield from pages.encode(block.only(columns), base, number).items()
    except ListRefused:
        return  # entries with no hash within the scope make no page; the published ones are fetched


def _rows(read: Read, history: Sequence[PageFile]) -> Iterator[Block]:
    cores = [file for file in history if file.column is None]
    standing = replay(read_blocks(read, cores))
    return standing_rows(read_blocks(read, history), standing)


def _content(blocks: Iterable[Block], columns: frozenset[Column]) -> list[str]:
    """Digests of everything the rows say, however they are cut into blocks."""
    names = ("sequence", "number", "action", "kind", "words", *sorted(columns))
    digests = {name: hashlib.sha256() for name in names}
    for block in blocks:
        for name in ("sequence", "number", "action", "kind"):
            digests[name].update(np.ascontiguousarray(getattr(block, name)).data)
        for reason, pipeline in zip(block.reason.tolist(), block.pipeline.tolist(), strict=True):
            line = f"{block.reasons[reason]} {block.pipelines[pipeline]}\n"
            digests["words"].update(line.encode())
        for column in columns:
            _add_column(digests[column], block, column)
    return [digests[name].hexdigest() for name in names]


def _add_column(digest: "hashlib._Hash", block: Block, column: Column) -> None:
    values = block.columns.get(column)
    if values is None:
        digest.update(bytes(len(block)))
        return
    counts = iter(() if values.counts is None else values.counts.tolist())
    at = 0
    for present in values.present.tolist():
        if not present:
            digest.update(b"\0")
            continue
        end = at + (next(counts) if values.counts is not None else 1)
        digest.update(b"\1" + values.data[at:end].tobytes())
        for more in (values.quality, values.ms):
            digest.update(b"" if more is None else more[at:end].tobytes())
        at = end
