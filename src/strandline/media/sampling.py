"""An open film's frames, sampled. Runs in the worker only.

Two policies. *Every second*: the frame on screen at each whole second from the start, so that
whatever is shown for a second or longer is seen. *Key frames*: the frames that can be decoded on
their own, at a small part of the cost; a pre-filter.

What breaks half-way gives the samples until there, marked ``truncated``.
"""

from __future__ import annotations  # PyAV's Packet is generic for type checkers alone

import contextlib
import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from strandline.errors import TooLarge
from strandline.media.containers import INDEXED, SKIPS_UNREFERENCED
from strandline.media.limits import MAX_SIDE, Limits
from strandline.media.luma import turns_sides, upright_luma
from strandline.media.packets import LONGEST_GAP, Planner, Scale, Step

#: Share of the time limits after which a film is ended with what there is.
_ENOUGH = 0.9
#: Damaged packets in a row after which a film is given up.
_MOST_DAMAGED = 2_000
#: Packets looked at to find where to cut a film in parts.
_LOOKED_AT = 2_000
#: Shapes of pixels beyond this are taken for an error of the file.
_WIDEST_PIXEL = 8
#: Where a film's unit of time, in seconds, makes no sense.
_LONGEST_TICK, _DEFAULT_TICK = 60, Fraction(1, 25)


@dataclass(frozen=True)
class Sample:
    """A frame and when it is on screen, in seconds from the film's start."""

    start: float
    end: float
    frame: VideoFrame

    @cached_property
    def luma(self) -> NDArray[np.uint8]:
        """Upright luma, shape (height, width)."""
        return upright_luma(self.frame)


class Film:
    """An open film. Its facts are final once the samples were read to the end."""

    def __init__(
        self, container: InputContainer, stream: VideoStream, limits: Limits, *, whole: bool = True
    ) -> None:
        self._container, self._stream, self._limits = container, stream, limits
        self._context = stream.codec_context
        #: AVI tells only the order in which frames are stored, not when they are shown.
        self._stored_order = container.format.name == "avi" and bool(self._context.has_b_frames)
        base = stream.time_base
        if base is None or not 0 < base <= _LONGEST_TICK:
            base = _DEFAULT_TICK
        self._scale = Scale(stream.start_time or 0, base.numerator, base.denominator)
        self._step = max(1, round(self._frame_seconds() / float(base)))
        self._started = time.process_time(), time.monotonic()
        self._damaged = 0
        self._is_over = False
        self._planner: Planner[Packet[VideoStream]] | None = None
        #: A key frame is found without reading up to it.
        self.is_indexed = container.format.name.split(",")[0] in INDEXED
        self.codec = self._context.name
        #: As displayed: pixels made square, upright. Set from the first frame decoded.
        self.width, self.height = 0, 0
        #: Not all of it could be read: cut off, damaged, or beyond the limits.
        self.truncated = not whole
        #: The limits on time were reached.
        self.late = False
        #: Its clock jumps: no two workers may share it.
        self.irregular = False
        #: Where the frames read so far end, in seconds.
        self.end = 0.0

    @cached_property
    def declared_seconds(self) -> float | None:
        """How long the moving picture says it is."""
        if self._stream.duration:
            return self._stream.duration * float(self._stream.time_base or 0)
        told = self._stream.metadata.get("DURATION", "")
        with contextlib.suppress(ValueError):
            hours, minutes, seconds = (float(part) for part in told.split(":"))
            return hours * 3600 + minutes * 60 + seconds
        if len(self._container.streams) == 1 and self._container.duration:
            return self._container.duration / av.time_base
        return None

    def parts(self, count: int) -> list[int]:
        """Cut the film at key frames into about equal parts; return the marks they begin at.

        The same file gives the same cuts. The first mark is 0.
        """
        cuts = [0]
        total = self.declared_seconds or 0
        for number in range(1, count):
            with contextlib.suppress(av.error.FFmpegError):
                cut = self._cut_near(int(total * number / count))
                if cut is not None and cuts[-1] < cut < total:
                    cuts.append(cut)
        with self._seeking():
            self._seek(0)
        return cuts

    def _cut_near(self, mark: int) -> int | None:
        """The mark after the nearest key frame before or after ``mark``."""
        self._seek(mark)
        cuts = []
        for packet in itertools.islice(self._packets(), _LOOKED_AT):
            if packet.is_keyframe and packet.pts is not None:
                cuts.append(self._scale.mark_after(packet.pts))
                if cuts[-1] >= mark:
                    break
        return min(cuts, key=lambda cut: abs(cut - mark), default=None)

    def every_second(self, first: int = 0, stop: int | None = None) -> Iterator[Sample]:
        """Yield the frames on screen at marks ``first`` to ``stop`` (``None``: the end).

        A sample spans the marks at which it is on screen.
        """
        if first > 0 and self.is_indexed:
            with self._seeking():
                self._seek(first)
        planner = self._planner = Planner(self._scale, first, stop)
        planner.gave_up = self._stored_order
        mark, held = first, None
        for at, frame in self._timed(self._decoded(planner)):
            upto = self._scale.mark_after(at)
            upto = upto if stop is None else min(upto, stop)
            if held is None and mark < upto and first > 0:
                self.irregular = True  # a seek that missed
            if held is not None and mark < upto:
                yield Sample(mark, upto, held)
                mark = upto
            held = frame
        last = self._scale.mark_after(self._end_ticks())
        last = last if stop is None else min(last, stop)
        if planner.finished and not self._is_over and stop is not None:
            last = stop
        if held is not None and (mark < last or mark == first == 0):
            yield Sample(mark, max(last, mark + 1), held)
        if not planner.finished:
            self._check_length()

    def keyframes(self) -> Iterator[Sample]:
        """Yield the key frames, each until the next one."""
        # The demuxer must not discard the others: that of MP4 then gives wrong times.
        self._context.skip_frame = "NONKEY"
        self._stored_order = False  # of key frames alone, order and time are the same
        steps = ((packet, Step.DECODE) for packet in self._packets() if packet.is_keyframe)
        held = None
        for at, frame in self._timed(self._outputs(steps)):
            now = self._scale.seconds(at)
            if held is not None:
                yield Sample(held[0], now, held[1])
            held = (max(now, 0.0), frame)
        self.end = max(self.end, self.declared_seconds or 0.0)
        if held is not None:
            yield Sample(held[0], max(self.end, held[0] + self._frame_seconds()), held[1])

    def _frame_seconds(self) -> float:
        rate = self._stream.average_rate or self._stream.guessed_rate
        return float(1 / rate) if rate and rate * LONGEST_GAP >= 1 else float(_DEFAULT_TICK)

    @contextlib.contextmanager
    def _seeking(self) -> Iterator[None]:
        """A damaged film may not let itself be wound: then it can only be read from its start."""
        try:
            yield
        except av.error.FFmpegError:
            self.irregular = self.truncated = True

    def _seek(self, mark: int) -> None:
        self._container.seek(self._scale.ticks(mark), stream=self._stream)

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        try:
            yield from self._container.demux(self._stream)
        except (av.error.FFmpegError, OSError, LookupError):  # a stream turned up unannounced
            self.truncated = True

    def _decoded(self, planner: Planner[Packet[VideoStream]]) -> Iterator[VideoFrame]:
        return self._outputs(planner.steps(self._packets()))

    def _outputs(self, steps: Iterator[tuple[Packet[VideoStream], Step]]) -> Iterator[VideoFrame]:
        """Decode; damaged packets are passed over, and the film is marked."""
        skips = self.codec in SKIPS_UNREFERENCED
        for packet, step in steps:
            if self._is_enough():
                return
            if step is Step.RESTART:
                yield from self._given(None)
                self._context.flush_buffers()
            if skips and self._planner is not None:
                self._context.skip_frame = "NONREF" if step is Step.IF_REFERRED else "DEFAULT"
            yield from self._given(packet)
        yield from self._given(None)

    def _given(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        try:
            frames = self._context.decode(packet)
        except av.error.EOFError:
            return []
        except av.error.FFmpegError:
            self.truncated = True
            self._damaged += 1
            return []
        self._damaged = 0
        for frame in frames:
            self._check_size(frame)
        return frames

    def _is_enough(self) -> bool:
        cpu, wall = self._started
        self.late |= (
            time.process_time() - cpu > _ENOUGH * self._limits.cpu_seconds
            or time.monotonic() - wall > _ENOUGH * self._limits.wall_seconds
        )
        over = self.late or self._damaged > _MOST_DAMAGED
        self._is_over |= over
        self.truncated |= over
        return over

    def _timed(self, frames: Iterator[VideoFrame]) -> Iterator[tuple[int, VideoFrame]]:
        """Give every frame a time in ticks that only rises; where the clock jumps, it goes on."""
        start, offset, latest = self._scale.start, 0, None
        gap = self._scale.ticks(LONGEST_GAP) - start
        second = self._scale.ticks(1) - start
        for frame in frames:
            told = frame.dts if self._stored_order else frame.pts
            if told is None:
                at = start if latest is None else latest + self._step
                self.irregular = True
            else:
                offset = start - told if self._stored_order and latest is None else offset
                at = told + offset
            if latest is None:
                jumps = at - start > gap and (self._planner is None or self._planner.gave_up)
            else:
                jumps = not -second <= at - latest <= gap
            if jumps:
                self.irregular = True
                at = start if latest is None else latest + self._step
                offset = at - (told or 0)
            if latest is not None and at <= latest:
                continue
            latest = at
            length = frame.duration or self._step
            self.end = self._scale.seconds(at + (length if 0 < length <= gap else self._step))
            yield at, frame

    def _end_ticks(self) -> int:
        """Where the last frame ends: told by the packets, unless the clock jumped."""
        planner = self._planner
        decoded = self._scale.start + math.ceil(
            self.end * self._scale.denominator / self._scale.numerator
        )
        if planner is None or planner.end is None or self.irregular or planner.gave_up:
            return decoded
        self.end = max(self.end, self._scale.seconds(planner.end))
        return max(decoded, planner.end)

    def _check_length(self) -> None:
        """A film that ends well before it says is cut off."""
        declared = self.declared_seconds
        if declared and self.end < declared - max(1.0, 0.02 * declared):
            self.truncated = True

    def _check_size(self, frame: VideoFrame) -> None:
        refuse_large(frame.width, frame.height, self._limits)
        if self.width:
            return
        shape = self._stream.sample_aspect_ratio or self._context.sample_aspect_ratio
        width = frame.width
        if shape and 1 / _WIDEST_PIXEL <= shape <= _WIDEST_PIXEL:
            width = max(1, round(width * shape))
        sizes = (width, frame.height)
        self.width, self.height = sizes[::-1] if turns_sides(frame) else sizes


def refuse_long(seconds: float, limits: Limits) -> None:
    """Refuse a film longer than the limits.

    Raises:
        TooLarge: more than ``limits.seconds``.
    """
    if seconds > limits.seconds:
        raise TooLarge(
            f"The film is longer than {limits.seconds / 60:,.0f} minutes, the most that is looked "
            "at. Nothing was shown; its digests can still be examined."
        )


def refuse_large(width: int, height: int, limits: Limits) -> None:
    """Refuse frames beyond the limits.

    Raises:
        TooLarge: more pixels than ``limits.pixels`` or a side above ``MAX_SIDE``.
    """
    if width * height > limits.pixels or max(width, height) > MAX_SIDE:
        raise TooLarge(
            f"The film's frames are too large to decode ({width:,} by {height:,} pixels, at most "
            f"{limits.pixels:,} in all). It was not decoded and nothing was shown."
        )
