"""A log's own side: appends leaves to static files, signs what it holds, publishes checkpoints.

The folder may be served as it is by any web server: ``checkpoint`` is the last published one with
its cosignatures, ``tile/`` as in ``tree_files``.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from strandline.errors import CheckpointRefused, LogDamaged
from strandline.transparency.checkpoints import Checkpoint
from strandline.transparency.disk import write_file
from strandline.transparency.keys import Signer
from strandline.transparency.merkle import EMPTY_ROOT
from strandline.transparency.notes import open_note, split_note
from strandline.transparency.tiles import TileReader
from strandline.transparency.tree_files import TreeFiles

CHECKPOINT = "checkpoint"


class Log:
    """A log in ``directory``, whose name is that of the signer's key.

    Safe against being killed at any instruction and against a second process that appends. Raises
    LogDamaged when the files do not hash to the root the log stands at: nothing is added then.
    """

    def __init__(self, directory: str | Path, signer: Signer) -> None:
        self.directory = Path(directory)
        self._signer = signer
        self._files = TreeFiles(self.directory, signer.name)
        with self._files.alone():
            self._files.check(self._head())

    @property
    def origin(self) -> str:
        """The log's name, first line of its checkpoints."""
        return self._signer.name

    @property
    def vkey(self) -> str:
        """The key that its checkpoints are verified with, as it is published."""
        return self._signer.vkey

    @property
    def size(self) -> int:
        """Leaves that count."""
        return self._head().size

    def reader(self) -> TileReader:
        """What reads leaves and proofs of this log."""
        return self._files.reader()

    def append(self, entries: Sequence[bytes]) -> int:
        """Add leaves and return the index of the first; all of them count, or none does.

        ValueError for one of more than 65,535 bytes. For many, append some thousand at a time.
        """
        with self._files.alone():
            head = self._head()
            self._files.append(head, entries)
            return head.size

    def index_of(self, entry: bytes) -> int | None:
        """The index of the newest leaf with these bytes: what a repeated step looks for first."""
        return self._files.index_of(entry, self.size)

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

        Cosignatures that were published with the same state stay, unless a new one replaces them.
        Raises CheckpointRefused or NoteRefused for one that is older than what is published or not
        of this log, LogDamaged when it contradicts the tiles.
        """
        with self._files.alone():
            note = self.checkpoint() if checkpoint is None else checkpoint
            wanted, published = self._own(note), self.published()
            self._refuse_to_publish(wanted, published)
            lines = _signed_lines(note)
            if published is not None and self._own(published) == wanted:
                lines |= _signed_lines(published)  # the word of a witness that is away now
            for cosignature in cosignatures:
                lines |= _signed_lines(f"{wanted.text}\n{cosignature}")
            note = f"{wanted.text}\n{''.join(lines.values())}"
            self._own(note)
            write_file(self.directory / CHECKPOINT, note.encode())
            return note

    def _refuse_to_publish(self, wanted: Checkpoint, published: str | None) -> None:
        before = self._own(published).size if published is not None else 0
        if before > wanted.size:
            raise CheckpointRefused(
                f"A checkpoint of {before} leaves is published already, and this has "
                f"{wanted.size}. It was not published."
            )
        if wanted.size > self._head().size:
            raise CheckpointRefused("This checkpoint is larger than the log. Not published.")
        if self.reader().root(wanted.size) != wanted.root:
            raise LogDamaged("This checkpoint contradicts the log's tiles. Not published.")

    def _own(self, note: str) -> Checkpoint:
        checkpoint = Checkpoint.parse(open_note(note, [self._signer.verifier]).text)
        if checkpoint.origin != self.origin:
            raise CheckpointRefused(f"This is a checkpoint of another log: {checkpoint.origin}.")
        return checkpoint

    def _head(self) -> Checkpoint:
        head = self._files.head()
        if head is not None:
            return head
        # A mirror's copy or a web server's may lack it: the log goes on from what it published.
        note = self.published()
        return self._own(note) if note is not None else Checkpoint(self.origin, 0, EMPTY_ROOT)


def _signed_lines(note: str) -> dict[tuple[str, bytes], str]:
    """The signature lines of a note by whose they say they are; raises NoteRefused."""
    return {(line.name, line.key_id): line.line for line in split_note(note)[1]}
