"""Films and animations: what identifies them, as hashes of frames with ranges of time.

A film is decoded by a worker of the sandbox for that file alone; a long one by several, each
reading its own part, and the parts are put together in order. Frames too plain to fingerprint are
left out, and neighbours that look alike are folded (:mod:`strandline.hashing.folding`).
"""

import contextlib
import functools
import importlib.util
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from strandline.errors import NoFilmDecoder, TimedOut, Undecodable
from strandline.hashing.digests import Digests, digests_of_file
from strandline.hashing.folding import SAMPLE, FrameHash, fold
from strandline.media import Limits, Sandbox, Style, containers
from strandline.media.containers import HEAD, INDEXED, container_of
from strandline.media.sources import open_regular

#: What a film may cost. Decoding stops at nine tenths of the times; what was seen until then is
#: kept and marked as truncated.
FILM_LIMITS = Limits(
    file_bytes=32 * 2**30,
    pixels=8192 * 4352,
    frames=20_000,
    memory=2 * 2**30,
    cpu_seconds=1800.0,
    wall_seconds=3600.0,
)

#: Stored with every hash: decoding and sampling, then the hash. The policy is stored beside it.
PIPELINE = f"{containers.FILM_PIPELINE}+pdq-2"

#: Frames on a sheet.
MOST_SHOWN = 9

_MODULES = ("strandline.hashing.film_tasks",)
#: Below so many bytes a second worker costs more than it saves.
_WORTH_SHARING = 3 * 2**20
#: In seconds; a sample is never on screen for more than an hour.
_LONGEST = 1e8


class Policy(StrEnum):
    """Which frames of a film are hashed."""

    #: The frame on screen at each whole second.
    EVERY_SECOND = "every-second"
    #: Frames that decode on their own: a pre-filter. Not every scene has one.
    KEYFRAMES = "keyframes"


@dataclass(frozen=True)
class FilmHash:
    """What identifies a film or an animation. Sizes in pixels as displayed, times in seconds."""

    #: "video" or "animation".
    kind: str
    #: ffmpeg's name of the container, or Pillow's of the format.
    format: str
    codec: str
    width: int
    height: int
    duration: float
    digests: Digests
    #: In order of time. Empty: too plain to fingerprint, or nothing could be read.
    frames: tuple[FrameHash, ...]
    pipeline: str
    policy: Policy
    #: Cut off, damaged or beyond the limits: hashed as far as it goes.
    truncated: bool
    #: Frames that were decoded and hashed, the plain and the folded ones included.
    samples: int
    #: What was looked at, in whole seconds; None for all of it.
    ranges: tuple[tuple[int, int], ...] | None = None

    @property
    def too_plain(self) -> bool:
        """No frame shows enough to be fingerprinted."""
        return not self.frames


@dataclass(frozen=True)
class Sheet:
    """A few frames of a film, side by side and degraded, with the time under each."""

    #: Whole seconds from the film's start at which these frames are on screen, in order.
    marks: tuple[int, ...]
    renditions: Mapping[Style, bytes]


def open_film_sandbox(limits: Limits = FILM_LIMITS) -> Sandbox:
    """Return a sandbox whose workers read films; those for pictures do not load ffmpeg."""
    return Sandbox(limits, modules=_MODULES)


def hash_film(
    path: Path,
    sandbox: Sandbox | None = None,
    *,
    policy: Policy = Policy.EVERY_SECOND,
    ranges: Sequence[tuple[int, int]] | None = None,
    workers: int | None = None,
    digests: Digests | None = None,
    limits: Limits | None = None,
) -> FilmHash:
    """Hash a film, or an animation (GIF, WebP, APNG, AVIF), given by its path.

    Args:
        path: a regular file.
        sandbox: from :func:`open_film_sandbox`, and no other; without one, one is kept for this
            process.
        policy: which frames; animations are always hashed frame by frame.
        ranges: look at these seconds alone, (first, end), in order and apart from each other.
        workers: how many share a long film, by default one for each processor.
        digests: the file's, where they are known already; otherwise they are computed meanwhile.
        limits: of this film, where they differ from the sandbox's.

    Raises:
        Undecodable, TooLarge, TimedOut: the verdict on this file.
        NoFilmDecoder: a film, and PyAV is not installed.
        OSError: the file cannot be read.
    """
    sandbox = sandbox or _shared_sandbox()
    head = _head(path)
    container, animation = container_of(head), _animation_of(head)
    if container is None and animation is None:
        raise Undecodable(
            f"{'This is no film or animation of a known format' if head else 'The file is empty'}. "
            "Nothing was shown; its digests can still be examined."
        )
    jobs = [{}] if container is None else _jobs(container, path, policy, ranges, workers)
    with ThreadPoolExecutor(len(jobs) + 1, "film") as threads:
        known = threads.submit(lambda: digests or digests_of_file(path))
        task = "film" if container else "animation"
        run = functools.partial(sandbox.run_file, task, path, limits=limits)
        running = [threads.submit(run, params=job) for job in jobs]
        parts = [_Part(*each.result()) for each in running]
        if len(parts) > 1 and any(part.irregular for part in parts):
            parts = [_Part(*run(params={**jobs[0], "parts": 1}))]
        found = known.result()
    samples = [sample for part in parts for sample in part.samples]
    if not any(part.width for part in parts) and ranges is None:
        if any(part.late for part in parts):
            raise TimedOut(
                "No frame of this film was decoded within the time allowed. Nothing was shown. It "
                "can be tried again with a higher limit."
            )
        raise Undecodable(
            "Not one frame of this film could be decoded. Nothing was shown; its digests can "
            "still be examined."
        )
    sized = next((part for part in parts if part.width), parts[0])
    return FilmHash(
        kind="video" if container else "animation",
        format=container or animation or "",
        codec=parts[0].codec,
        width=sized.width,
        height=sized.height,
        duration=max(part.seconds for part in parts),
        digests=found,
        frames=fold(samples),
        pipeline=PIPELINE,
        policy=policy,
        truncated=any(part.truncated for part in parts),
        samples=len(samples),
        ranges=None if ranges is None else tuple((first, end) for first, end in ranges),
    )


def contact_sheet(
    path: Path,
    film: FilmHash,
    styles: Sequence[Style],
    sandbox: Sandbox,
    *,
    limits: Limits | None = None,
) -> Sheet:
    """Render a few frames of a film that was hashed, degraded, with their times.

    Raises:
        Undecodable, TooLarge, TimedOut: the verdict on this file.
        NoFilmDecoder: PyAV is not installed.
        OSError: the file cannot be read.
    """
    asked = _marks(film)
    params = {"marks": asked, "styles": [style.value for style in styles]}
    facts, blobs = sandbox.run_file("film-sheet", path, params, limits=limits)
    try:
        marks = tuple(int(mark) for mark in facts["marks"])
        renditions = {style: blobs[style.value] for style in styles}
    except (KeyError, TypeError, ValueError) as error:
        raise _not_ours() from error
    if not set(marks) <= set(asked):
        raise _not_ours()
    return Sheet(marks, renditions)


def _marks(film: FilmHash) -> list[int]:
    """Seconds to show: spread over the frames that differ, or over the time where none is told."""
    differ = sorted({int(frame.start) for frame in film.frames})
    times: Sequence[int] = differ or range(max(1, math.ceil(film.duration)))
    many = min(MOST_SHOWN, len(times))
    if many == 1:
        return [times[0]]
    return [times[number * (len(times) - 1) // (many - 1)] for number in range(many)]


@functools.cache
def _shared_sandbox() -> Sandbox:
    return open_film_sandbox()


def _head(path: Path) -> bytes:
    descriptor = open_regular(path, FILM_LIMITS.file_bytes)
    try:
        return os.read(descriptor, HEAD)
    finally:
        os.close(descriptor)


def _jobs(
    container: str,
    path: Path,
    policy: Policy,
    ranges: Sequence[tuple[int, int]] | None,
    workers: int | None,
) -> list[dict[str, Any]]:
    """What each worker is asked for."""
    if importlib.util.find_spec("av") is None:
        raise NoFilmDecoder
    if ranges is not None:
        return [{"policy": Policy.EVERY_SECOND.value, "ranges": [list(each) for each in ranges]}]
    count = 1
    if policy is Policy.EVERY_SECOND and container in INDEXED:
        large = path.stat().st_size >= _WORTH_SHARING
        count = workers or (_processors() if large else 1)
    return [{"policy": policy.value, "part": part, "parts": count} for part in range(count)]


def _processors() -> int:
    with contextlib.suppress(AttributeError):  # of Linux only
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Part:
    """A worker's answer, checked: it read hostile bytes and may no longer be ours.

    Raises:
        Undecodable: the answer makes no sense.
    """

    def __init__(self, facts: Mapping[str, Any], blobs: Mapping[str, bytes]) -> None:
        try:
            rows = np.frombuffer(blobs["samples"], SAMPLE)
            self.width, self.height = int(facts["width"]), int(facts["height"])
            self.codec = str(facts["codec"])[:20]
            self.truncated, self.irregular = bool(facts["truncated"]), bool(facts["irregular"])
            self.late = bool(facts["late"])
            self.seconds = float(facts["end"])
            self.samples = [
                FrameHash(row["pdq"].tobytes().hex(), int(row["quality"]), start, end)
                for row in rows
                for start, end in [(float(row["start"]), float(row["end"]))]
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise _not_ours() from error
        times = [time for each in self.samples for time in (each.start, each.end)]
        sensible = all(math.isfinite(each) and 0 <= each <= _LONGEST for each in times)
        sensible &= times == sorted(times) and 0 <= self.seconds <= _LONGEST
        if not sensible or any(each.quality > 100 for each in self.samples):
            raise _not_ours()


def _not_ours() -> Undecodable:
    return Undecodable(
        "The decoder's answer made no sense and was not used. Nothing of the film was shown."
    )


def _animation_of(head: bytes) -> str | None:
    if head.startswith(b"GIF8"):
        return "GIF"
    if head.startswith(b"\x89PNG"):
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    return "AVIF" if head[4:12] in {b"ftypavis", b"ftypavif"} else None
