"""The tasks a film's worker serves: decode, sample, hash, and a sheet of degraded frames.

Nothing of the film comes back but that.

PyAV is optional (the extra ``video``): without it the worker still starts, and serves animations.
"""

import dataclasses
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from strandline.errors import NoFilmDecoder, TimedOut, TooLarge, Undecodable
from strandline.hashing import perceptual
from strandline.hashing.folding import SAMPLE
from strandline.media import animation, decoding, opening
from strandline.media.limits import Limits, Style
from strandline.media.renditions import MAX_SIDE, render_sheet
from strandline.media.times import on_the_clock

try:
    from strandline.media import film
    from strandline.media.sampling import refuse_long
except ImportError:  # not there, or not whole
    film = None  # type: ignore[assignment]
if TYPE_CHECKING:
    from strandline.media.sampling import Film, Sample

_Outcome = tuple[dict[str, Any], dict[str, bytes]]

_ENOUGH = 0.9


def prepare(limits: Limits) -> None:
    """Load what is loaded late, while files can still be read."""
    decoding.prepare(limits)
    perceptual.load_kernels()
    if film is not None:
        film.prepare(limits)


class _Hashes:
    """The samples of one job, hashed."""

    def __init__(self, limits: Limits) -> None:
        self._most = limits.frames
        self._rows = np.zeros(min(limits.frames, 1024), SAMPLE)
        self._count = 0

    def add(self, start: float, end: float, pixels: NDArray[np.uint8]) -> bool:
        """Hash a frame; False when that was the last one allowed."""
        found = perceptual.pdq(pixels)
        if self._count == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        bits = np.frombuffer(bytes.fromhex(found.hash), np.uint8)
        self._rows[self._count] = (start, end, found.quality, bits)
        self._count += 1
        return self._count < self._most

    def blob(self) -> bytes:
        return self._rows[: self._count].tobytes()


def _film(file: BinaryIO, params: Mapping[str, Any], limits: Limits) -> _Outcome:
    """Hash one part of a film, or ranges of it; ``params`` as ``hashing.film`` sends them."""
    if film is None:
        raise NoFilmDecoder
    hashes = _Hashes(limits)
    with film.opened(file, limits) as opened:
        refuse_long(opened.declared_seconds or 0.0, limits)
        complete = True
        for samples in _wanted(opened, params):
            complete = complete and all(_added(hashes, sample, limits) for sample in samples)
        end = opened.end
        refuse_long(end, limits)
        if "ranges" in params:
            end = max(end, opened.declared_seconds or 0.0)
        facts = {
            "codec": opened.codec,
            "width": opened.width,
            "height": opened.height,
            "end": end,
            "truncated": opened.truncated or not complete,
            "late": opened.late,
            "irregular": opened.irregular,
        }
    return facts, {"samples": hashes.blob()}


def _added(hashes: _Hashes, sample: "Sample", limits: Limits) -> bool:
    refuse_long(sample.start, limits)  # its end may lie beyond what the file says
    return hashes.add(sample.start, sample.end, sample.luma)


def _wanted(opened: "Film", params: Mapping[str, Any]) -> Iterable[Iterable["Sample"]]:
    if params["policy"] == "keyframes":
        return [opened.keyframes()]
    if "ranges" in params:
        ranges = params["ranges"]
        if not opened.is_indexed:  # read in one go, for there is no way back
            ranges = [(ranges[0][0], ranges[-1][1])]
        return (opened.every_second(first, stop) for first, stop in ranges)
    part, parts = params["part"], params["parts"]
    if parts == 1:
        return [opened.every_second()]
    cuts: list[int | None] = [*opened.parts(parts)]
    cuts += [None] * (parts + 1 - len(cuts))  # where fewer cuts were found, the last are empty
    first, stop = cuts[part], cuts[part + 1]
    return [] if first is None else [opened.every_second(first, stop)]


def _sheet(file: BinaryIO, params: Mapping[str, Any], limits: Limits) -> _Outcome:
    """Render the frames on screen at ``params["marks"]``, rising whole seconds, on one sheet."""
    if film is None:
        raise NoFilmDecoder
    shown, frames = [], []
    with film.opened(file, limits) as opened:
        for mark, sample in _at(opened, params["marks"]):
            shown.append(mark)
            frames.append((on_the_clock(mark), _picture(sample, opened.width, opened.height)))
        late = opened.late
    if not frames and late:
        raise TimedOut(
            "No frame of this film was decoded within the time allowed. Nothing was shown. It can "
            "be tried again with a higher limit."
        )
    if not frames:
        raise Undecodable(
            "Not one frame of this film could be shown. Its digests can still be examined."
        )
    styles = [Style(name) for name in params["styles"]]
    return {"marks": shown}, {style.value: render_sheet(frames, style) for style in styles}


def _at(opened: "Film", marks: list[int]) -> Iterable[tuple[int, "Sample"]]:
    """The frames at these marks; read in one go where there is no way back."""
    if opened.is_indexed:
        for mark in marks:
            for sample in opened.every_second(mark, mark + 1):
                yield mark, sample
        return
    wanted = deque(marks)
    for sample in opened.every_second(0, marks[-1] + 1):
        while wanted and wanted[0] < sample.end:
            yield wanted.popleft(), sample


def _picture(sample: "Sample", width: int, height: int) -> Image.Image:
    """A frame as displayed, but no larger than a rendition can be."""
    scale = min(1.0, MAX_SIDE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return Image.fromarray(sample.luma).resize(size, Image.Resampling.LANCZOS)


def _animation(file: BinaryIO, _params: Mapping[str, Any], limits: Limits) -> _Outcome:
    """Hash every frame of an animation."""
    data = file.read(limits.bytes + 1)
    if len(data) > limits.bytes:
        raise TooLarge(
            f"The animation has more than {limits.bytes:,} bytes. It was not decoded and nothing "
            "was shown. Raise the limit to examine it."
        )
    hashes = _Hashes(limits)
    begun, seen, end = time.process_time(), 0, 0.0
    width = height = 0
    for frame in decoding.frames_of(data, limits):
        height, width = frame.pixels.shape[:2]
        seen, end = seen + 1, frame.seconds_end
        more = hashes.add(frame.seconds_start, end, frame.pixels)
        if not more or time.process_time() - begun > _ENOUGH * limits.cpu_seconds:
            break
    with opening.opened(data, dataclasses.replace(limits, frames=seen + 1)) as image:
        cut = animation.count(image, data, dataclasses.replace(limits, frames=seen + 1)) > seen
    cut |= not _has_its_end(data)
    facts = {"codec": "", "width": width, "height": height, "end": end}
    # Its first frame is read however long that takes, or ends the worker.
    return facts | {"truncated": cut, "late": False, "irregular": False}, {"samples": hashes.blob()}


def _has_its_end(data: bytes) -> bool:
    """A GIF's trailer or a PNG's last chunk is there; decoders do not miss them."""
    if data.startswith(b"GIF8"):
        return data.rstrip(b"\0\r\n").endswith(b";")
    return b"IEND" in data or not data.startswith(b"\x89PNG")


TASKS: dict[str, Any] = {}
FILE_TASKS = {"film": _film, "film-sheet": _sheet, "animation": _animation}
