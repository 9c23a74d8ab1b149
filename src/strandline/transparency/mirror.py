"""A verified copy of a log's files, for whoever wants the log to outlive its publisher.

Every entry is checked against the log's checkpoint before it is kept, and the copy's own tiles are
made from the entries: a copy that has the checkpoint's root is the log, byte for byte. It can be
served as it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from strandline.errors import LogDamaged, ProofRefused
from strandline.transparency.checkpoints import Checkpoint, OpenedCheckpoint
from strandline.transparency.disk import write_file
from strandline.transparency.log import CHECKPOINT
from strandline.transparency.merkle import EMPTY_ROOT
from strandline.transparency.tiles import WIDTH, Read, VerifiedTiles
from strandline.transparency.tree_files import HEAD, LOCK, TILES, TreeFiles

#: Leaves kept at a time: what a killed run has not to fetch again.
_STEP = 16 * WIDTH

#: Called with leaves held and leaves in all.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Mirrored:
    """What a run came to."""

    #: What the copy holds now.
    checkpoint: Checkpoint
    #: Leaves that came in this run.
    added: int


def mirror(
    read: Read, directory: Path, opened: OpenedCheckpoint, progress: Progress | None = None
) -> Mirrored:
    """Bring the copy in ``directory`` to the verified checkpoint ``opened`` of the log ``read``.

    A run that was killed goes on where it was. Raises ProofRefused, changing nothing, when the log
    does not begin with what is held; LogDamaged when its files do not hash to the checkpoint: then
    what was verified before is kept.
    """
    wanted = opened.checkpoint
    files = TreeFiles(directory, wanted.origin)
    _refuse_another_s(directory)
    with files.alone():
        head = files.head() or Checkpoint(wanted.origin, 0, EMPTY_ROOT)
        files.check(head)
        tiles = VerifiedTiles(read, wanted.size, wanted.root)
        if head.size > wanted.size:
            raise ProofRefused(
                f"The log was set back: {directory} holds {head.size} leaves of it, and it shows "
                f"{wanted.size} now. The copy was not changed."
            )
        wanted.extends(head, tiles.consistency(head.size, wanted.size))
        before = head.size
        while head.size < wanted.size:
            end = min(wanted.size, (head.size // _STEP + 1) * _STEP)
            head = files.append(head, _leaves(tiles, head.size, end))
            if progress:
                progress(head.size, wanted.size)
        if head.root != wanted.root:
            raise LogDamaged("The copy does not hash to the log's root. It was not published.")
        write_file(directory / CHECKPOINT, opened.note.encode())
        files.drop_older_parts(wanted.size)
        return Mirrored(wanted, wanted.size - before)


def _refuse_another_s(directory: Path) -> None:
    """Write into no folder that is something else: a member's copy, say, or the publisher's own."""
    if not directory.is_dir() or (directory / HEAD).exists():
        return
    if {path.name for path in directory.iterdir()} - {LOCK, TILES}:
        raise LogDamaged(
            f"{directory} is not empty and no copy of a log. Nothing was written there: name a "
            "folder that is empty or not there yet."
        )


def _leaves(tiles: VerifiedTiles, start: int, end: int) -> Sequence[bytes]:
    """Entries from ``start`` to before ``end``, asking only for files a log of this size has."""
    found: list[bytes] = []
    for number in range(start // WIDTH, -(-end // WIDTH)):
        width = min(WIDTH, tiles.size - number * WIDTH)
        found += tiles.bundle(number, width)[max(0, start - number * WIDTH) :]
    return found[: end - start]
