"""A log's own side: appends leaves to static files, signs what it holds, publishes checkpoints.

Source: https://c2sp.org/tlog-tiles. The folder may be served as it is by any web server::

    checkpoint              the last published checkpoint, with its cosignatures
    tile/…                  tiles and entry bundles
    .head                   size and root up to which the log stands; replaced last in an append
    .lock

Files beyond the size in ``.head`` were left by an append that was killed before it counted; they
are written over. What counts once is never changed.
"""

import contextlib
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from strandline.errors import CheckpointRefused, LogDamaged
from strandline.transparency.checkpoints import Checkpoint
from strandline.transparency.disk import sole_writer, write_file
from strandline.transparency.keys import Signer
from strandline.transparency.merkle import EMPTY_ROOT, leaf_hash, root_of
from strandline.transparency.notes import open_note, parse_signature
from strandline.transparency.tiles import (
    HEIGHT,
    MAX_ENTRY,
    WIDTH,
    TileReader,
    bundle_path,
    encode_bundle,
    tile_path,
)

CHECKPOINT = "checkpoint"
HEAD = ".head"
LOCK = ".lock"


class Log:
    """A log in ``directory``, whose name is that of the signer's key.

    Safe against being killed at any instruction and against a second process that appends. Raises
    LogDamaged when the files do not hash to the root the log stands at: nothing is added then.
    """

    def __init__(self, directory: str | Path, signer: Signer) -> None:
        self.directory = Path(directory)
        self._signer = signer
        with self._alone():
            head = self._head()
            if self._reader().root(head.size) != head.root:
                raise LogDamaged(
                    f"The tiles in {self.directory} do not hash to the log's root. Nothing was "
                    "changed; bring them back from a mirror or a backup."
                )

    @property
    def origin(self) -> str:
        """The log's name, first line of its checkpoints."""
        return self._signer.name

    @property
    def size(self) -> int:
        """Leaves that count."""
        return self._head().size

    def reader(self) -> TileReader:
        """What reads leaves and proofs of this log."""
        return self._reader()

    def append(self, entries: Sequence[bytes]) -> int:
        """Add leaves and return the index of the first; they count, or none does.

        ValueError for one of more than 65,535 bytes. For many, append some thousand at a time.
        """
        if any(len(entry) > MAX_ENTRY for entry in entries):
            raise ValueError(f"an entry of a log has at most {MAX_ENTRY} bytes")
        with self._alone():
            head = self._head()
            if entries:
                self._write_bundles(head.size, entries)
                self._write_tiles(head.size, [leaf_hash(entry) for entry in entries])
                size = head.size + len(entries)
                self._settle(Checkpoint(self.origin, size, self._reader().root(size)))
                self._drop_parts(head.size, size)
            return head.size

    def index_of(self, entry: bytes) -> int | None:
        """The index of the newest leaf with these bytes; what a repeated step looks for first."""
        size, wanted, reader = self.size, leaf_hash(entry), self._reader()
        for number in range((size - 1) // WIDTH, -1, -1):
            width = min(WIDTH, size - number * WIDTH)
            hashes = reader.tile(0, number, width)
            for at in range(width - 1, -1, -1):
                if hashes[at] == wanted:
                    return number * WIDTH + at
        return None

    def checkpoint(self) -> str:
        """The log as it stands, signed, for witnesses; nothing is published."""
        return self._signer.sign(self._head().text)

    def published(self) -> str | None:
        """The last published checkpoint, with its cosignatures."""
        try:
            return (self.directory / CHECKPOINT).read_text("utf-8")
        except FileNotFoundError:
            return None

    def publish(self, cosignatures: Iterable[str] = (), *, checkpoint: str | None = None) -> str:
        """Put ``checkpoint`` (the log as it stands) and its cosignature lines where all see it.

        Raises CheckpointRefused or NoteRefused for one that is older than what is published or not
        of this log, LogDamaged when it contradicts the tiles.
        """
        with self._alone():
            note = self.checkpoint() if checkpoint is None else checkpoint
            wanted = self._own(note)
            before = self.published()
            if before is not None and self._own(before).size > wanted.size:
                raise CheckpointRefused(
                    f"A checkpoint of {self._own(before).size} leaves is published already, and "
                    f"this has {wanted.size}. It was not published."
                )
            if wanted.size > self._head().size:
                raise CheckpointRefused("This checkpoint is larger than the log. Not published.")
            if self._reader().root(wanted.size) != wanted.root:
                raise LogDamaged("This checkpoint contradicts the log's tiles. Not published.")
            lines = dict.fromkeys(line for text in cosignatures for line in text.splitlines())
            for line in lines:
                parse_signature(line)
            note += "".join(f"{line}\n" for line in lines)
            self._own(note)
            write_file(self.directory / CHECKPOINT, note.encode())
            return note

    def _own(self, note: str) -> Checkpoint:
        checkpoint = Checkpoint.parse(open_note(note, [self._signer.verifier]).text)
        if checkpoint.origin != self.origin:
            raise CheckpointRefused(f"This is a checkpoint of another log: {checkpoint.origin}.")
        return checkpoint

    def _alone(self) -> contextlib.AbstractContextManager[None]:
        return sole_writer(self.directory / LOCK)

    def _head(self) -> Checkpoint:
        try:
            text = (self.directory / HEAD).read_text("utf-8")
        except FileNotFoundError:
            # A mirror's copy has no such file: the log goes on from what it published.
            note = self.published()
            return self._own(note) if note else Checkpoint(self.origin, 0, EMPTY_ROOT)
        head = Checkpoint.parse(text)
        if head.origin != self.origin:
            raise LogDamaged(
                f"{self.directory} holds the log {head.origin}, and the key is that of "
                f"{self.origin}. Nothing was changed."
            )
        return head

    def _settle(self, head: Checkpoint) -> None:
        write_file(self.directory / HEAD, head.text.encode())

    def _reader(self) -> TileReader:
        return TileReader(lambda path: (self.directory / path).read_bytes())

    def _write_bundles(self, size: int, entries: Sequence[bytes]) -> None:
        number, width = divmod(size, WIDTH)
        begun = self._reader().bundle(number, width) if width else []
        whole = [*begun, *entries]
        for at in range(0, len(whole), WIDTH):
            part = whole[at : at + WIDTH]
            path = bundle_path(number + at // WIDTH, len(part))
            write_file(self.directory / path, encode_bundle(part))

    def _write_tiles(self, size: int, hashes: list[bytes]) -> None:
        """Add leaf hashes at level 0, and at each level the roots of the tiles filled below."""
        level = 0
        while hashes:
            number, width = divmod(size, WIDTH)
            begun = self._reader().tile(level, number, width) if width else []
            whole = [*begun, *hashes]
            hashes = []
            for at in range(0, len(whole), WIDTH):
                part = whole[at : at + WIDTH]
                path = tile_path(level, number + at // WIDTH, len(part))
                write_file(self.directory / path, b"".join(part))
                if len(part) == WIDTH:
                    hashes.append(root_of(part))
            size >>= HEIGHT
            level += 1

    def _drop_parts(self, before: int, size: int) -> None:
        """Remove parts of tiles that are whole now, as tlog-tiles allows; parts are many."""
        level = 0
        while before >> HEIGHT * level != size >> HEIGHT * level:
            number = (before >> HEIGHT * level) // WIDTH
            if (size >> HEIGHT * level) // WIDTH > number:
                paths = [tile_path(level, number, 1)] + [bundle_path(number, 1)] * (level == 0)
                for path in paths:
                    shutil.rmtree((self.directory / path).parent, ignore_errors=True)
            level += 1
