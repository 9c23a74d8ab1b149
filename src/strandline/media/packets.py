"""Which packets of a film must be decoded to see one frame a second. Plain arithmetic on times.

To know the frame on screen at a mark, only that frame is needed and what it refers to: decoding
begins at the last key frame before it, and frames that nothing refers to are left out. The
samples are the very ones that decoding everything gives.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, Protocol, TypeVar

#: No codec shows a frame more than 16 frames later than it stores it, so that 17 packets beyond
#: a mark prove that no further one lies before it.
_REORDERED = 17
#: Packets held back to look ahead; a film that would need more is decoded whole.
_MOST_HELD, _MOST_BYTES = 4_000, 64 * 2**20
#: In seconds. A frame shown for longer is taken for a jump of the clock.
LONGEST_GAP = 3_600


class Packet(Protocol):
    """What is asked of a packet; times in ticks."""

    @property
    def pts(self) -> int | None:
        """When it is shown."""

    @property
    def duration(self) -> int | None:
        """For how long."""

    @property
    def size(self) -> int:
        """In bytes."""

    @property
    def is_keyframe(self) -> bool:
        """Decoding can begin here."""


class Step(Enum):
    """What to do with a packet."""

    DECODE = auto()
    #: Decode it if other frames refer to it.
    IF_REFERRED = auto()
    #: Take what the decoder still holds, reset it, then decode.
    RESTART = auto()


@dataclass(frozen=True)
class Scale:
    """Ticks of a stream, and seconds from its start."""

    start: int
    #: One tick is ``numerator / denominator`` seconds.
    numerator: int
    denominator: int

    def ticks(self, mark: int) -> int:
        """The last tick at or before second ``mark``."""
        return self.start + mark * self.denominator // self.numerator

    def mark_after(self, ticks: int) -> int:
        """The first whole second at or after ``ticks``."""
        return -(-(ticks - self.start) * self.numerator // self.denominator)

    def seconds(self, ticks: int) -> float:
        """Seconds from the start."""
        return (ticks - self.start) * self.numerator / self.denominator


_Packet = TypeVar("_Packet", bound=Packet)


class Planner(Generic[_Packet]):
    """Plans the packets of marks ``first`` to ``stop`` (``None``: to the end), in decoding order.

    Where times are missing or jump, it gives up: everything from there on is decoded.
    """

    def __init__(self, scale: Scale, first: int, stop: int | None) -> None:
        self._scale, self._mark, self._stop = scale, first, stop
        self._gap = scale.ticks(LONGEST_GAP) - scale.start
        self._held: deque[_Packet] = deque()
        self._bytes = self._beyond = 0
        self._shown: int | None = None  # when the last planned sample is shown
        self._latest = scale.start if first == 0 else None
        self._passed_over = False  # packets were dropped since the last one given out
        #: Where the last frame seen so far ends, in ticks; None before any.
        self.end: int | None = None
        #: Planning was given up; set before, it is not begun.
        self.gave_up = False

    @property
    def finished(self) -> bool:
        """All marks are planned."""
        return self._stop is not None and self._mark >= self._stop

    def steps(self, packets: Iterable[_Packet]) -> Iterator[tuple[_Packet, Step]]:
        """Yield the packets to decode and how."""
        source = iter(packets)
        for packet in source:
            if packet.size == 0 and packet.pts is None:
                continue  # marks the end
            if not self._take(packet) or self.gave_up:
                self.gave_up = True
                yield from ((each, Step.DECODE) for each in self._held)
                self._held.clear()
                break
            while self._beyond >= _REORDERED and not self.finished:
                yield from self._next_mark()
            if self.finished:
                return
        for packet in source:
            if packet.size:
                self._note(packet)
                yield packet, Step.DECODE
        while self._held and not self.finished and self._is_on_screen():
            yield from self._next_mark()

    def _is_on_screen(self) -> bool:
        """Something is on screen at this mark, as far as was seen."""
        last = max(self._latest or 0, (self.end or 0) - 1)
        return self._shown is None or self._scale.ticks(self._mark) <= last

    def _note(self, packet: _Packet) -> None:
        if packet.pts is not None:
            length = packet.duration or 0
            end = packet.pts + (length if 0 < length <= self._gap else 0)
            self.end = end if self.end is None else max(self.end, end)

    def _take(self, packet: _Packet) -> bool:
        """Hold the packet back; False where planning ends."""
        self._held.append(packet)
        self._note(packet)
        pts = packet.pts
        if pts is None or (self._shown is not None and pts <= self._shown):
            return False
        if self._latest is not None and abs(pts - self._latest) > self._gap:
            return False
        self._latest = pts if self._latest is None else max(self._latest, pts)
        if packet.is_keyframe and pts <= self._scale.ticks(self._mark) and len(self._held) > 1:
            self._held = deque([packet])  # nothing from here on needs what came before
            self._bytes, self._passed_over = 0, True
        self._bytes += packet.size
        self._beyond += pts > self._scale.ticks(self._mark)
        return len(self._held) <= _MOST_HELD and self._bytes <= _MOST_BYTES

    def _next_mark(self) -> Iterator[tuple[_Packet, Step]]:
        """Plan this mark, if the packets held back show anything new at it; move to the next."""
        limit = self._scale.ticks(self._mark)
        times = [packet.pts or 0 for packet in self._held]
        at = max((pts for pts in times if pts <= limit), default=None)
        if at is None and self._shown is None:
            at = min(times)  # before the first frame, the first frame
        if at is not None:
            yield from self._up_to(at, len(times) - 1 - times[::-1].index(at))
        self._mark += 1
        if self._held:
            earliest = min(packet.pts or 0 for packet in self._held)
            self._mark = max(self._mark, self._scale.mark_after(earliest))
        limit = self._scale.ticks(self._mark)
        self._beyond = sum((packet.pts or 0) > limit for packet in self._held)

    def _up_to(self, shown: int, place: int) -> Iterator[tuple[_Packet, Step]]:
        """Release the packets up to ``place``, from the last key frame shown by then."""
        self._shown = shown
        key = 0
        for number, packet in enumerate(self._held):
            if number <= place and packet.is_keyframe and (packet.pts or 0) <= shown:
                key = number
        for number in range(place + 1):
            packet = self._held.popleft()
            self._bytes -= packet.size
            if number == key and (key > 0 or self._passed_over):
                self._passed_over = False
                yield packet, Step.RESTART
            elif number >= key:
                # One shown later may be what a later mark shows.
                later = (packet.pts or 0) >= shown
                yield packet, Step.DECODE if later else Step.IF_REFERRED
