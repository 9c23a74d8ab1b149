"""Many files at once: pictures by every processor, films one after another, in the order given."""

import contextlib
import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from strandline.errors import MediaRefused
from strandline.hashing.digests import Digests, digests
from strandline.hashing.examiner import MODULES, ImageHash, image_hash, not_ours
from strandline.hashing.film import FilmHash, hash_film, open_film_sandbox
from strandline.hashing.versions import Mode
from strandline.media import Answer, Limits, Pool, Sandbox
from strandline.media.containers import HEAD, is_film


@dataclass(frozen=True)
class HashedFile:
    """What became of one file: a hash, or why there is none."""

    path: Path
    #: Of a picture; of an animation's first frame.
    image: ImageHash | None = None
    #: Of a film, and of an animation's frames.
    film: FilmHash | None = None
    #: The verdict on the file, or what kept it from being read.
    error: MediaRefused | OSError | None = None


def hash_files(
    paths: Iterable[str | Path],
    *,
    mode: Mode = Mode.EXACT,
    workers: int | None = None,
    limits: Limits | None = None,
) -> Iterator[HashedFile]:
    """Hash each file, in order; what is wrong with one is told in its place and costs only it.

    Pictures are decoded by ``workers`` processes, one for each processor unless given. Each file
    is read once, and its digests are computed while it is decoded. ``limits`` are the pictures'.

    Raises:
        SandboxUnavailable: no worker could be started.
    """
    mode = Mode(mode)  # its name will do
    with Pool(workers, limits, modules=MODULES) as pool, open_film_sandbox() as films:
        for film, group in itertools.groupby(map(Path, paths), _is_film):
            if film:
                yield from (_film(path, films) for path in group)
            else:
                yield from _pictures(group, pool, films, mode)


def _is_film(path: Path) -> bool:
    # What cannot be read is told when its turn comes. Opening a named pipe would wait.
    with contextlib.suppress(OSError, ValueError):
        if path.is_file():
            with path.open("rb") as file:
                return is_film(file.read(HEAD))
    return False


def _pictures(
    paths: Iterable[Path], pool: Pool, films: Sandbox, mode: Mode
) -> Iterator[HashedFile]:
    params = {"mode": mode.value}
    for answer in pool.map("fingerprint", paths, params, beside=digests):
        hashed = _picture(answer, mode)
        if hashed.image and hashed.image.kind == "animation":
            hashed = _with_frames(hashed, films)
        yield hashed


def _picture(answer: Answer[Digests], mode: Mode) -> HashedFile:
    assert isinstance(answer.source, Path)
    if answer.error is not None:
        return HashedFile(answer.source, error=answer.error)
    assert answer.beside is not None
    try:
        return HashedFile(answer.source, image_hash(answer.facts, answer.beside, mode))
    except (KeyError, TypeError, ValueError):
        return HashedFile(answer.source, error=not_ours())


def _with_frames(hashed: HashedFile, films: Sandbox) -> HashedFile:
    """Add the frames of an animation; where they cannot be had, its first one is still known."""
    with contextlib.suppress(MediaRefused, OSError):
        return dataclasses.replace(hashed, film=hash_film(hashed.path, films))
    return hashed


def _film(path: Path, films: Sandbox) -> HashedFile:
    try:
        return HashedFile(path, film=hash_film(path, films))
    except (MediaRefused, OSError) as error:
        return HashedFile(path, error=error)
