"""Recognising files: is this picture or film, or a version of it, on the list that is held?"""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from strandline.errors import MediaRefused
from strandline.hashing import (
    MIN_QUALITY,
    SAME_PICTURE,
    Examiner,
    digests,
    digests_of_file,
    hash_film,
    open_film_sandbox,
)
from strandline.lists.member.innocence import Innocence, Judged, SetAside, merged
from strandline.lists.member.layout import Layout
from strandline.lists.published.classes import Column
from strandline.lists.state import Hit, State
from strandline.media import Sandbox
from strandline.media.containers import HEAD, is_film


@dataclass(frozen=True)
class FileMatches:
    """What became of one file."""

    #: None for bytes that are in no file.
    path: Path | None
    #: Hex digest of the file, None when it could not be read.
    sha256: str | None
    #: Strongest and nearest first.
    hits: tuple[Hit, ...] = ()
    #: Likenesses that are no match, since the file looks like a known innocent picture.
    aside: tuple[SetAside, ...] = ()
    #: PDQ quality of the picture; None when no fingerprint was needed or made.
    quality: int | None = None
    #: A sentence, when the file could not be read or is neither picture nor film.
    problem: str | None = None

    @property
    def too_plain(self) -> bool:
        """Whether the picture shows too little to fingerprint: only its bytes were compared."""
        return self.quality is not None and self.quality < MIN_QUALITY


class HashList:
    """The list in a member's copy, ready to be asked from any thread.

    Keep it: what a later sync brings is found with the next question, without opening it again.
    """

    def __init__(self, state: State, innocence: Innocence | None = None) -> None:
        """Without ``innocence`` no picture is taken to be a known innocent one."""
        self.state = state
        self.innocence = innocence or Innocence()
        self._films: Sandbox | None = None

    @classmethod
    def open(cls, directory: str | Path) -> Self:
        """Open the copy in ``directory``; raises ListRefused when it is missing or was altered."""
        state = State.open(Layout(Path(directory)).store)
        state.verify()
        return cls(state, Innocence(Path(directory)))

    def __len__(self) -> int:
        return len(self.state)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker that reads films, if one was needed."""
        if self._films:
            self._films.close()
            self._films = None

    def refresh(self) -> int:
        """The edition in use, after a look whether a sync has put a newer one in place."""
        return self.state.edition

    def find(self, **known: str | int) -> list[Hit]:
        """Entries that a hash matches; see :meth:`strandline.lists.state.State.find`.

        Likenesses of innocent pictures are left out: :meth:`judge` tells them.
        """
        return self.judge(**known).hits

    def judge(self, **known: str | int) -> Judged:
        """The same, with what was set aside."""
        hits = self.state.find(**known)  # type: ignore[arg-type]
        pdq = known.get("pdq")
        return self.innocence.now().still(self.state, str(pdq) if pdq else None, hits)

    def recognise(
        self, source: bytes | str | Path, examiner: Examiner, *, radius: int = SAME_PICTURE
    ) -> FileMatches:
        """Compare one file, by its path or its bytes; what is unreadable is told in ``problem``."""
        source = Path(source) if isinstance(source, str) else source
        path = source if isinstance(source, Path) else None
        sha256 = None
        try:
            if path is not None and not path.is_file():
                return FileMatches(path, None, problem="It is not a file that can be read.")
            known = digests(source) if isinstance(source, bytes) else digests_of_file(source)
            sha256 = known.sha256
            exact = self.state.find(sha256=sha256, sha1=known.sha1, md5=known.md5)
            if any(hit.column is Column.SHA256 for hit in exact):
                return FileMatches(path, sha256, tuple(exact))  # settled without decoding anything
            if is_film(_head(source)):
                found = merged(Judged(exact, []), self._film(source, radius))
                return FileMatches(path, sha256, tuple(found.hits), tuple(found.aside))
            image = examiner.picture(source).image
            near = self.judge(pdq=image.pdq, quality=image.quality, radius=radius)
            if image.kind == "animation":
                with contextlib.suppress(MediaRefused):  # its first frame is known
                    near = merged(near, self._film(source, radius))
            found = merged(Judged(exact, []), near)
            return FileMatches(
                path, sha256, tuple(found.hits), tuple(found.aside), quality=image.quality
            )
        except OSError as error:
            return FileMatches(path, sha256, problem=f"It cannot be read: {error.strerror}.")
        except MediaRefused as error:
            return FileMatches(path, sha256, problem=error.message)

    def _film(self, source: bytes | Path, radius: int) -> Judged:
        known = self.innocence.now()
        self._films = self._films or open_film_sandbox()
        if isinstance(source, Path):
            return known.film(self.state, hash_film(source, self._films), radius)
        with tempfile.NamedTemporaryFile() as file:
            file.write(source)
            file.flush()
            film = hash_film(Path(file.name), self._films)
        return known.film(self.state, film, radius)


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
    with contextlib.ExitStack() as stack:
        stack.callback(hashes.close)
        examiner = examiner or stack.enter_context(Examiner())
        for path in paths:
            yield replace(hashes.recognise(Path(path), examiner, radius=radius), path=Path(path))


def _head(source: bytes | Path) -> bytes:
    if isinstance(source, bytes):
        return source[:HEAD]
    with source.open("rb") as file:
        return file.read(HEAD)
