"""Recognising files: is this picture, or a version of it, on the list that is held?"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from strandline.errors import MediaRefused
from strandline.hashing import MIN_QUALITY, SAME_PICTURE, Examiner, hash_image
from strandline.lists.entries import Entry
from strandline.lists.holding import load
from strandline.lists.manifest import Manifest
from strandline.matching import Index


@dataclass(frozen=True)
class Hit:
    """One entry that a file matches, and how near."""

    entry: Entry
    #: ``sha256`` for the very same bytes, ``pdq`` for a picture that looks the same.
    algorithm: str
    #: Bits that differ, of 256; 0 for the same bytes.
    distance: int
    #: The most bits that were allowed to differ.
    radius: int
    #: Edition of the list that was compared with.
    edition: int


@dataclass(frozen=True)
class FileMatches:
    """What became of one file."""

    path: Path
    #: Hex digest of the file, None when it could not be read.
    sha256: str | None
    #: Nearest first.
    hits: tuple[Hit, ...] = ()
    #: PDQ quality of the picture; None when no fingerprint was needed or made.
    quality: int | None = None
    #: A sentence, when the file could not be read or is not a picture.
    problem: str | None = None

    @property
    def too_plain(self) -> bool:
        """Whether the picture shows too little to fingerprint: only its bytes were compared."""
        return self.quality is not None and self.quality < MIN_QUALITY


class HashList:
    """A verified edition, ready to be asked. Keep it: loading reads the whole list."""

    def __init__(self, manifest: Manifest, entries: Sequence[Entry]) -> None:
        self.manifest = manifest
        self._by_id = {entry.id: entry for entry in entries}
        self._by_sha256: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            self._by_sha256[entry.sha256].append(entry)
        self._index = Index.build(
            (entry.id, entry.pdq)
            for entry in entries
            if entry.pdq is not None and entry.quality >= MIN_QUALITY
        )

    @classmethod
    def open(cls, directory: str | Path) -> Self:
        """Load the copy in ``directory``; raises ListRefused when it is missing or was altered."""
        return cls(*load(directory))

    def __len__(self) -> int:
        return len(self._by_id)

    def exact(self, sha256: str) -> tuple[Hit, ...]:
        """Entries of the very same bytes.

        Only sha256 decides: bytes that share md5 or sha1 alone were made to collide.
        """
        found = self._by_sha256.get(sha256, ())
        return tuple(Hit(entry, "sha256", 0, 0, self.manifest.edition) for entry in found)

    def similar(self, pdq: str, *, quality: int, radius: int = SAME_PICTURE) -> tuple[Hit, ...]:
        """Entries within ``radius`` bits, nearest first; none when ``quality`` is below 50."""
        if quality < MIN_QUALITY:
            return ()
        return tuple(
            Hit(self._by_id[found.id], "pdq", found.distance, radius, self.manifest.edition)
            for found in self._index.query(pdq, radius)
        )

    def recognise(
        self, path: Path, examiner: Examiner, *, radius: int = SAME_PICTURE
    ) -> FileMatches:
        """Compare one file; a file that cannot be read or decoded says so in ``problem``."""
        try:
            if not path.is_file():
                return FileMatches(path, None, problem="It is not a file that can be read.")
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            hits = self.exact(sha256)
            if hits:
                return FileMatches(path, sha256, hits)  # settled without decoding anything
            image = hash_image(path, examiner.sandbox)
        except OSError as error:
            return FileMatches(path, None, problem=f"It cannot be read: {error.strerror}.")
        except MediaRefused as error:
            return FileMatches(path, sha256, problem=error.message)
        if image.pdq is not None:
            hits = self.similar(image.pdq, quality=image.quality, radius=radius)
        return FileMatches(path, sha256, hits, image.quality)


def match(
    directory: str | Path,
    paths: Iterable[str | Path],
    *,
    radius: int = SAME_PICTURE,
    examiner: Examiner | None = None,
) -> Iterator[FileMatches]:
    """Compare each file with the list held in ``directory``, in order, one answer for each.

    Raises ListRefused, before any file is read, when the copy is missing or was altered.
    """
    hashes = HashList.open(directory)
    return _recognise_all(hashes, paths, radius, examiner)


def _recognise_all(
    hashes: HashList, paths: Iterable[str | Path], radius: int, examiner: Examiner | None
) -> Iterator[FileMatches]:
    if examiner is not None:
        for path in paths:
            yield hashes.recognise(Path(path), examiner, radius=radius)
        return
    with Examiner() as own:
        yield from _recognise_all(hashes, paths, radius, own)
