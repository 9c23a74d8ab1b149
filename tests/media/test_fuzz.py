"""Damaged files by the thousand: each gets an answer, and nothing else happens.

Seeded, so that a case can be had again by its number. ``STRANDLINE_FUZZ_CASES`` sets how many
(600 when unset; 20,000 take some minutes), ``STRANDLINE_FUZZ_SEED`` which.
"""

import io
import itertools
import os
import random
import struct
import sys
import zlib
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from media import hostile
from strandline.errors import MediaRefused
from strandline.hashing import Mode
from strandline.hashing.examiner import MODULES
from strandline.media import Limits, Pool

_CASES = int(os.environ.get("STRANDLINE_FUZZ_CASES", "600"))
_SEED = int(os.environ.get("STRANDLINE_FUZZ_SEED", "1"))
#: A few numbers claim tens of millions of pixels, of which each takes seconds.
_PIXELS = 4_000_000 if _CASES < 5_000 else Limits().pixels
#: So often comes a whole file, whose answer must not have changed.
_WHOLE_EVERY = 40
_LARGEST = 2**18
_ODD_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1)

_SAVED = [
    ("JPEG", "RGB", {"quality": 85}),
    ("JPEG", "L", {}),
    ("JPEG", "CMYK", {}),
    ("JPEG", "RGB", {"progressive": True, "subsampling": 0, "dpi": (72, 72)}),
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {"compress_level": 0}),
    ("PNG", "P", {"transparency": 3}),
    ("PNG", "1", {}),
    ("PNG", "I;16", {}),
    ("GIF", "P", {}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGBA", {"lossless": True}),
    ("AVIF", "RGB", {"speed": 10}),
    ("JPEG2000", "RGB", {}),
    ("TIFF", "RGB", {}),
    ("TIFF", "LAB", {}),
    ("TIFF", "F", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "CMYK", {"compression": "tiff_adobe_deflate"}),
    ("TIFF", "1", {"compression": "group4"}),
    ("TIFF", "RGB", {"compression": "jpeg"}),
    ("BMP", "RGB", {}),
    ("BMP", "P", {}),
    ("ICO", "RGBA", {}),
    ("PPM", "RGB", {}),
    ("PPM", "L", {}),
]
_MOVING = [("GIF", "P"), ("WEBP", "RGB"), ("PNG", "RGB"), ("TIFF", "RGB")]


def _drawn(size: tuple[int, int], step: int = 0) -> Image.Image:
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((4 + step, 4, size[0] // 2 + step, size[1] - 4), fill=(20, 90, 180))
    pen.rectangle((size[0] // 2, 8, size[0] - 6, size[1] - 8), fill=(200, 30, 40 + step))
    return picture


def _in_mode(picture: Image.Image, mode: str) -> Image.Image:
    if mode == "I;16":
        return picture.convert("L").convert("I").point(lambda value: value * 257).convert("I;16")
    if mode == "LAB":
        return Image.merge("LAB", picture.split())
    return picture.convert(mode)


def _whole_files() -> list[bytes]:
    files = []
    for kind, mode, options in _SAVED:
        out = io.BytesIO()
        _in_mode(_drawn((96, 80)), mode).save(out, kind, **options)
        files.append(out.getvalue())
    for kind, mode in _MOVING:
        first, *more = (_in_mode(_drawn((60, 50), step), mode) for step in range(0, 15, 5))
        out = io.BytesIO()
        first.save(out, kind, save_all=True, append_images=more)
        files.append(out.getvalue())
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    _drawn((70, 90)).save(out, "JPEG", exif=exif, icc_profile=b"no profile at all" * 9)
    files.append(out.getvalue())
    files += [path.read_bytes() for path in sorted(Path(__file__).parent.glob("data/*.heic"))]
    return files


def _flip_bits(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 2, 5, 30))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _set_number(data: bytearray, chance: random.Random) -> None:
    """Put an odd number where a length, an offset or a size may be, most are near the start."""
    kind = chance.choice(("<H", ">H", "<I", ">I"))
    number = chance.choice((*_ODD_NUMBERS, len(data), chance.randrange(2**32)))
    packed = struct.pack(kind, number % 2 ** (8 * struct.calcsize(kind)))
    at = chance.randrange(chance.choice((64, 512, len(data))))
    data[at : at + len(packed)] = packed


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _drop_middle(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    del data[start : start + chance.choice((1, 2, 4, 16, 500))]


def _repeat_middle(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    piece = data[start : start + chance.choice((4, 12, 64, 1000))]
    data[start:start] = piece * chance.choice((1, 2, 20))


def _overwrite(data: bytearray, chance: random.Random) -> None:
    start, count = chance.randrange(len(data)), chance.choice((1, 8, 100))
    filling = chance.choice((b"\x00", b"\xff", chance.randbytes(1)))
    data[start : start + count] = filling * len(data[start : start + count])


_CHANGES = (_flip_bits, _flip_bits, _set_number, _set_number, _cut, _drop_middle, _repeat_middle,
            _overwrite)  # fmt: skip


def _splice(data: bytes, other: bytes, chance: random.Random) -> bytearray:
    """The start of one file, the rest of another."""
    share = chance.random()
    return bytearray(data[: int(len(data) * share)] + other[int(len(other) * share) :])


def _with_right_checksums(data: bytes) -> bytes:
    """A PNG whose every chunk says its checksum: without that, few changes reach the decoder."""
    parts, at = [data[:8]], 8
    while at + 8 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        body = data[at + 4 : at + 8 + length]
        parts += [data[at : at + 4], body, struct.pack(">I", zlib.crc32(body))]
        at += 12 + length
    return b"".join(parts)


def _damaged(files: list[bytes], chance: random.Random) -> bytes:
    whole = chance.choice(files)
    data = bytearray(whole)
    if chance.random() < 0.1:
        data = _splice(whole, chance.choice(files), chance)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        if data:
            chance.choice(_CHANGES)(data, chance)
    changed = bytes(data[:_LARGEST])
    if changed[:4] == b"\x89PNG" and chance.random() < 0.7:
        changed = _with_right_checksums(changed)
    return changed


def _hostile_files() -> list[bytes]:
    made = (make() for make, _ in hostile.FILES.values())
    return [data for data in made if len(data) < 20_000]


def _resident() -> int:
    """Bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _left_behind() -> dict[str, set[str]]:
    threads = list(Path("/proc/self/task").iterdir())
    return {
        "descriptors": {path.name for path in Path("/proc/self/fd").iterdir()},
        "children": {pid for path in threads for pid in (path / "children").read_text().split()},
        "root": {path.name for path in Path("/").iterdir()},
        "shared memory": {path.name for path in Path("/dev/shm").iterdir()},
    }


class _Run:
    """Every file through one pool; what came of them."""

    def __init__(self, pool: Pool, mode: Mode, cases: int) -> None:
        self.verdicts: Counter[str] = Counter()
        self.workers: set[int] = set()
        self._whole = _whole_files()
        self._damaged = self._whole + _hostile_files()
        # Which files come out as which is told by the whole ones among them.
        self._cases, self._first = cases, {}
        params = {"mode": mode, "styles": ["grey"] if mode is Mode.EXACT else []}
        sources = self._sources(random.Random(f"{_SEED} {mode}"))
        sent, asked = itertools.tee(sources)
        answers = pool.map("fingerprint", asked, params)
        for number, (source, answer) in enumerate(zip(sent, answers, strict=True)):
            assert answer.source is source
            self._count(number, answer)
            self.workers.update(pool.pids)
            if number == cases // 4:
                self.resident_early = _resident()
        self.resident_late = _resident()

    def __str__(self) -> str:
        memory = f"{self.resident_early >> 20} MB, at the end {self.resident_late >> 20} MB"
        return f"{dict(self.verdicts)}; {len(self.workers)} workers; this process {memory}"

    def _sources(self, chance):
        for number in range(self._cases):
            if number % _WHOLE_EVERY == 0:
                yield self._whole[number // _WHOLE_EVERY % len(self._whole)]
            else:
                yield _damaged(self._damaged, chance)

    def _count(self, number, answer) -> None:
        if answer.error is None:
            assert len(bytes.fromhex(answer.facts["pdq"])) == 32
            self.verdicts["truncated" if answer.facts["truncated"] else "decoded"] += 1
        else:
            assert isinstance(answer.error, MediaRefused), number
            told = "crashed" if "crashed" in answer.error.message else answer.error.verdict
            self.verdicts[told] += 1
        if number % _WHOLE_EVERY == 0:
            assert answer.error is None, number
            assert self._first.setdefault(answer.source, answer.facts) == answer.facts, number


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_no_damaged_file_does_more_than_get_an_answer(capsys, caplog):
    limits = Limits(pixels=_PIXELS, cpu_seconds=8, wall_seconds=30)
    with Pool(2, limits, modules=MODULES) as pool:
        pool.protections  # noqa: B018 - the threads that start processes stay
    before = _left_behind()
    with Pool(2, limits, modules=MODULES) as pool:
        runs = [_Run(pool, mode, _CASES // 2) for mode in (Mode.EXACT, Mode.FAST)]
    for name, found in _left_behind().items():
        assert found == before[name], name
    for run in runs:
        if "STRANDLINE_FUZZ_CASES" in os.environ:
            with capsys.disabled():
                print(f"\n{run}")
                print(Counter(record.getMessage() for record in caplog.records).most_common(5))
        assert run.verdicts.total() == _CASES // 2
        assert run.resident_late - run.resident_early < 32 * 2**20
