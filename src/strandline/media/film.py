"""Opening films: one named demuxer, one listed decoder, one thread, no other file.

Runs in the worker only; what an open film gives is in :mod:`strandline.media.sampling`.
"""

import contextlib
import importlib
import os
from collections.abc import Iterator
from typing import Any, BinaryIO

import av
import av.logging
from av.container import InputContainer
from av.video.stream import VideoStream

from strandline.errors import Undecodable
from strandline.media.containers import DECODERS, HEAD, container_of
from strandline.media.extent import is_whole
from strandline.media.limits import Limits
from strandline.media.sampling import Film, refuse_large

#: What PyAV imports when it first meets a stream of the kind.
_LOADED_LATE = (
    "av.audio.codeccontext", "av.audio.stream", "av.subtitles.codeccontext",
    "av.subtitles.stream", "av.video.codeccontext", "av.video.stream",
    "av.sidedata.sidedata", "av.sidedata.encparams", "av.sidedata.motionvectors",
)  # fmt: skip


def prepare(limits: Limits) -> None:
    """Load what is loaded late, while files can still be read; ffmpeg's log goes nowhere."""
    for name in _LOADED_LATE:
        importlib.import_module(name)
    av.logging.set_level(None)
    av.logging.set_libav_level(av.logging.PANIC)
    del limits


@contextlib.contextmanager
def opened(file: BinaryIO, limits: Limits) -> Iterator[Film]:
    """Open a film for as long as the block lasts.

    Raises:
        Undecodable: no film, or one without a moving picture that can be decoded.
        TooLarge: its frames exceed the limits.
    """
    head = file.read(HEAD)
    name = container_of(head)
    if name is None:
        empty = "The file is empty" if not head else "This is no film of a known format"
        raise Undecodable(f"{empty}. Nothing was shown; its digests can still be examined.")
    whole = is_whole(file, name)
    file.seek(0)
    try:
        container = av.open(
            _Bytes(file),
            format=name,
            # Whatever else a file refers to (another file, an address) is not opened.
            io_open=_refuse_references,
            container_options={"max_streams": "64", "codec_whitelist": ",".join(DECODERS)},
            options={"max_pixels": str(limits.pixels), "threads": "1"},
            metadata_errors="replace",
            buffer_size=1 << 17,
        )
    except (av.error.FFmpegError, OSError, ValueError, LookupError, RuntimeError) as error:
        raise Undecodable(
            f"This film could not be opened ({_said(error)}): it is damaged or cut off before its "
            "index. Nothing was shown; its digests can still be examined."
        ) from error
    assert isinstance(container, InputContainer)
    with container:
        stream = _moving_picture(container)
        for other in container.streams:
            if other is not stream:
                other.discard = av.stream.Discard.all
        context = stream.codec_context
        refuse_large(context.width, context.height, limits)
        context.thread_count = 1
        context.options = {"max_pixels": str(limits.pixels), "threads": "1"}
        yield Film(container, stream, limits, whole=whole)


class _Bytes:
    """An open file as PyAV reads it; a place before its beginning is an answer, not an error."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.tell = file.read, file.tell
        self._file = file

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Return the new place, or -1 where there is none."""
        try:
            return self._file.seek(place, whence)
        except (OSError, ValueError, OverflowError):
            return -1


def _refuse_references(_url: str, _flags: int, _options: dict[str, Any]) -> BinaryIO:
    raise PermissionError("a film opens no other file")


def _moving_picture(container: InputContainer) -> VideoStream:
    """The first stream of moving pictures; covers of albums and thumbnails are not."""
    still = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    moving = [each for each in container.streams.video if not each.disposition & still]
    known = [each for each in moving if each.codec_context is not None]
    chosen = next((each for each in known if each.codec_context.name in DECODERS), None)
    if chosen is not None:
        return chosen
    if moving:
        told = sorted({each.codec_context.name for each in known}) or ["unknown"]
        raise Undecodable(
            f"This film's moving picture cannot be decoded here (codec {', '.join(told)[:80]}). "
            "Nothing was shown; its digests can still be examined."
        )
    raise Undecodable(
        "This file holds sound or covers, but no moving picture. There is nothing to fingerprint; "
        "its digests can still be examined."
    )


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}"[:120]
