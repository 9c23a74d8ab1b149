"""The files of a store and the order in which they change, so that a kill at any step is harmless.

    current         one line of JSON, then the newest batch; replaced in one step: the commit
    g000003/        a generation: the arrays (``generations``)
    g000003/tail    the batches before the newest, one after the other
    incoming/       work under way; a generation that ``current`` names may still lie there

A batch is committed with ``current`` and then copied to the end of ``tail``; whoever comes next
finishes what was left undone. As long as there is ``incoming``, something may be undone; without
it every byte of the store is as ``current`` says.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import weakref
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from strandline.errors import ListRefused
from strandline.lists import disk
from strandline.lists.denied import denied, told
from strandline.lists.state import generations

CURRENT, TAIL, INCOMING = "current", "tail", "incoming"
_FOLDER = re.compile(r"g[0-9]{6,}")
_EMPTY = hashlib.sha256().hexdigest()


@dataclass(frozen=True)
class Current:
    """What counts in a store."""

    #: Folder of the generation, and SHA-256 of its header.
    generation: str
    header: str
    #: Folder of the generation before, which may not be cleared away yet; empty when none.
    replaces: str
    #: Edition and highest sequence number when the generation was written.
    edition: int
    sequence: int
    #: Bytes of the tail that count, and their SHA-256.
    tail: int = 0
    tail_sha256: str = _EMPTY
    #: A sentence, while nothing may be answered from it; empty otherwise.
    withheld: str = ""
    #: The newest batch, of which part or all may be at the end of the tail already.
    batch: bytes = b""

    def encode(self) -> bytes:
        """The content of the file."""
        said = asdict(self) | {"batch": hashlib.sha256(self.batch).hexdigest()}
        line = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
        return hashlib.sha256(line).hexdigest().encode() + b" " + line + b"\n" + self.batch

    @classmethod
    def decode(cls, data: bytes, path: Path) -> Self:
        """Read the file back; raises ListRefused unless every byte is as it was written."""
        line, _, batch = data.partition(b"\n")
        digest, _, said = line.partition(b" ")
        if hashlib.sha256(said).hexdigest().encode() != digest:
            raise damaged(path)
        fields = json.loads(said)
        if fields["batch"] != hashlib.sha256(batch).hexdigest():
            raise damaged(path)
        return cls(**(fields | {"batch": batch}))

    @property
    def length(self) -> int:
        """Bytes of all batches."""
        return self.tail + len(self.batch)


def damaged(path: Path) -> ListRefused:
    """The refusal of a file that is not as it was written."""
    return ListRefused(
        f"{path} is not as it was written. Nothing was answered from it; it can be built again "
        "from what it was made of: a member syncs again."
    )


def unread(path: Path, error: Exception) -> ListRefused:
    """The refusal of a file that could not be read; one that is closed is not called damaged."""
    return denied(path) if isinstance(error, PermissionError) else damaged(path)


class Seen:
    """The file ``current`` as it was read. Kept open, so that no newer file gets its number."""

    def __init__(self, descriptor: int, current: Current) -> None:
        status = os.fstat(descriptor)
        self.key = (status.st_dev, status.st_ino)
        self.current = current


class Store:
    """The files of one store. Those that write hold :meth:`sole`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.incoming = directory / INCOMING
        self._path = directory / CURRENT
        #: Of which generation and how many bytes of its tail the running hash is.
        self._hashed: tuple[str, int, Any] = ("", 0, hashlib.sha256())

    def changed(self, seen: "Seen") -> bool:
        """Whether ``current`` was replaced since it was seen."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return False  # nothing newer: what is open goes on answering
        except PermissionError as error:
            raise denied(self._path) from error
        return (status.st_dev, status.st_ino) != seen.key

    def see(self) -> "Seen":
        """What counts now, to be asked later whether it still does; raises as :meth:`read`."""
        descriptor = self._open()
        seen = Seen(descriptor, self._decoded(descriptor))
        weakref.finalize(seen, os.close, descriptor)
        return seen

    def read(self) -> Current:
        """What counts now; raises ListRefused when there is nothing or it was altered."""
        descriptor = self._open()
        try:
            return self._decoded(descriptor)
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise ListRefused(
                f"{self.directory} holds no list yet. Fetch one first: strandline list sync."
            ) from None
        except OSError as error:
            raise unread(self._path, error) from error

    def _decoded(self, descriptor: int) -> Current:
        pieces = []
        while piece := os.read(descriptor, 1 << 24):
            pieces.append(piece)
        try:
            return Current.decode(b"".join(pieces), self._path)
        except (ValueError, TypeError, KeyError) as error:
            raise damaged(self._path) from error

    def folder(self, current: Current) -> Path:
        """Where the generation is."""
        place = self.directory / current.generation
        return place if place.exists() else self.incoming / current.generation

    def batches(self, current: Current, start: int = 0) -> bytes:
        """The batches from byte ``start`` on; raises ListRefused when they are not there."""
        if start >= current.tail:
            return current.batch[start - current.tail :]
        path = self.folder(current) / TAIL
        try:
            with path.open("rb") as file:
                data = file.read(current.tail)
        except OSError as error:
            raise unread(path, error) from error
        if hashlib.sha256(data).hexdigest() != current.tail_sha256:
            raise damaged(path)
        return data[start:] + current.batch

    @contextlib.contextmanager
    def sole(self) -> Iterator[None]:
        """Keep other writers out, and finish what a killed one left."""
        disk.make_folder(self.directory)
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._settle()
            yield
        finally:
            os.close(descriptor)

    def _settle(self) -> None:
        if not self._path.exists():
            disk.remove_tree(self.incoming)
            return
        with contextlib.suppress(ListRefused):  # damaged: only a rebuild helps
            if self.incoming.exists():
                self._finish(self.read())

    def _finish(self, current: Current) -> None:
        self._put_in_place(current)
        self._write_tail(current)
        disk.remove_tree(self.incoming)

    def append(self, batch: bytes, withheld: str = "") -> None:
        """Commit one batch; the caller is sole."""
        before = self.read()
        generation, length, running = self._hashed
        if (generation, length) != (before.generation, before.tail):
            running = hashlib.sha256(self.batches(before)[: before.tail])
        running = running.copy()
        running.update(before.batch)
        after = replace(
            before,
            tail=before.length,
            tail_sha256=running.hexdigest(),
            withheld=withheld,
            batch=batch,
        )
        self._hashed = (after.generation, after.tail, running)
        disk.replace(self._path, after.encode(), self.incoming)
        self._finish(after)

    def _write_tail(self, current: Current) -> None:
        """Bring the tail to what ``current`` says, its batch included."""
        path = self.folder(current) / TAIL
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
        try:
            if os.fstat(descriptor).st_size != current.length:
                os.ftruncate(descriptor, current.tail)
                written = 0
                while written < len(current.batch):
                    rest = current.batch[written:]
                    written += os.pwrite(descriptor, rest, current.tail + written)
                os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def stage(self, name: str) -> Path:
        """An empty place for a new generation."""
        disk.make_folder(self.incoming)
        disk.remove_tree(self.incoming / name)
        return self.incoming / name

    def withhold(self, withheld: str) -> None:
        """Let what is held be answered from, or, with a sentence, not; the caller is sole."""
        before = self.read()
        if before.withheld != withheld:
            after = replace(before, withheld=withheld)
            disk.replace(self._path, after.encode(), self.incoming)
            self._finish(after)

    def switch(
        self, generation: str, header: str, edition: int, sequence: int, withheld: str = ""
    ) -> None:
        """Let the staged generation count from now on, without any batch; the caller is sole."""
        replaces = ""
        with contextlib.suppress(ListRefused):
            replaces = self.read().generation
        current = Current(generation, header, replaces, edition, sequence, withheld=withheld)
        disk.replace(self._path, current.encode(), self.incoming)
        self._finish(current)

    def _put_in_place(self, current: Current) -> None:
        staged = self.incoming / current.generation
        if staged.exists() and not (self.directory / current.generation).exists():
            staged.rename(self.directory / current.generation)
            disk.flush_folder(self.directory)
        for path in self.directory.iterdir():
            if _FOLDER.fullmatch(path.name) and path.name != current.generation:
                disk.make_folder(self.incoming)
                path.rename(self.incoming / f"old-{path.name}")

    def next_generation(self) -> str:
        """A name that no generation has."""
        numbers = [0]
        numbers += [int(p.name[1:]) for p in self.directory.iterdir() if _FOLDER.fullmatch(p.name)]
        with contextlib.suppress(ListRefused):
            numbers.append(int(self.read().generation[1:]))
        return f"g{max(numbers) + 1:06d}"

    @told()
    def verify(self, current: Current) -> None:
        """Check the tail and that nothing else lies here; raises ListRefused.

        ``incoming`` is where an interrupted writer leaves its work, and is not judged.
        """
        undone = self.incoming.exists()
        folder = self.folder(current)
        path = folder / TAIL
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        whole = self.batches(current)
        if not (data == whole or (undone and whole.startswith(data))):
            raise damaged(path)
        belong = {CURRENT, current.generation}
        if undone:
            belong |= {INCOMING, current.replaces}
        for found in (*self.directory.iterdir(), *folder.iterdir()):
            known = belong if found.parent == self.directory else generations.FILES | {TAIL}
            if found.name not in known or found.is_symlink():
                raise ListRefused(
                    f"{found} does not belong to the list. Nothing was changed: remove it."
                )
