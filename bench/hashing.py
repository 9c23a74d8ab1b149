"""Files and arrays to hashes, and files to digests; ours in this process, without the sandbox.

Both sides read the same files. Pictures are scikit-image's photographs, enlarged and given noise,
so that nothing about them is smoother than in a photograph of that size. What the sandbox adds is
in ``bench/sandbox.py``.
"""

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console

from bench._apart import installed
from bench.case import Case
from strandline.hashing import digests_of_file, pdq, pdq_dihedral, perceptual
from strandline.media import Limits
from strandline.media.decoding import decode, decode_scaled

LIMITS = Limits()
#: Name, width, height, what is promised of exact mode, and of fast mode.
SIZES = (
    ("12 MP", 4000, 3000, 14.0, 40.0),
    ("3 MP", 2048, 1536, 12.0, 22.0),
    ("1k", 1024, 768, 7.0, 10.0),
)
NAMES = (
    "astronaut", "coffee", "chelsea", "rocket", "camera", "moon", "retina", "hubble_deep_field",
    "immunohistochemistry", "coins", "brick", "grass", "gravel", "text", "page", "clock",
)  # fmt: skip
_GIGABYTE = 10**9


def run(console: Console, *, quick: bool) -> Iterator[Case]:
    """Measure; the peers' calls and ours alternate."""
    repeats = 3 if quick else 9
    perceptual.load_kernels()
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES[1:] if quick else SIZES:
            console.print(f"{size[0]}: file to hash")
            yield from _files(Path(folder), size, repeats)
        console.print("drift of fast mode")
        yield _drift(quick=quick)
        console.print("array to hash, pictures of 3 MP")
        yield from _arrays(repeats, 6 if quick else 48)
        console.print("digests")
        yield _digests(Path(folder), _GIGABYTE // 10 if quick else _GIGABYTE, 2 if quick else 3)
    console.print("start of a fresh process")
    yield from _starts()


def picture(name: str, width: int, height: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """A photograph enlarged to a size, with the noise that a camera would have."""
    from skimage import data

    image = Image.fromarray(getattr(data, name)()).convert("RGB")
    large = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    noise = np.random.default_rng(seed).standard_normal(large.shape, np.float32)
    return np.clip(large + 2 * noise, 0, 255).astype(np.uint8)


def jpeg(pixels: np.ndarray[Any, Any], quality: int = 85) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality)
    return out.getvalue()


def exact(path: Path) -> str:
    return pdq(decode(path.read_bytes(), LIMITS).pixels).hash


def fast(data: bytes) -> str:
    scaled = decode_scaled(data, LIMITS)
    assert scaled is not None
    return perceptual.pdq_scaled(
        scaled.luma,
        width=scaled.width,
        height=scaled.height,
        factor=scaled.factor,
        top=scaled.top,
        left=scaled.left,
    ).hash


def _files(folder: Path, size: tuple[str, int, int, float, float], repeats: int) -> Iterator[Case]:
    import simplejpeg

    name, width, height, promised, promised_fast = size
    path = folder / f"{name}.jpg"
    path.write_bytes(jpeg(picture("astronaut", width, height)))
    about = f"{path.stat().st_size * 8 / (width * height):.2g} bits a pixel"

    def bare() -> None:
        simplejpeg.decode_jpeg(path.read_bytes(), "RGB")

    def bare_scaled() -> None:
        data = path.read_bytes()
        scaled = decode_scaled(data, LIMITS)
        assert scaled is not None
        factor = scaled.factor
        smallest = {"min_height": -(-height // factor), "min_width": -(-width // factor)}
        begun = time.perf_counter()
        simplejpeg.decode_jpeg(data, "GRAY", **(smallest if factor > 1 else {}))
        bare_times.append(time.perf_counter() - begun)

    bare_times: list[float] = []
    calls: dict[str, Callable[[], object]] = {
        "exact": lambda: exact(path),
        "fast": lambda: fast(path.read_bytes()),
        "bare": bare,
        "bare scaled": bare_scaled,
    }
    if installed("threatexchange", "pdqhash"):
        from threatexchange.signal_type.pdq.pdq_hasher import pdq_from_file

        calls["peer"] = lambda: pdq_from_file(path)
        theirs, _ = pdq_from_file(path)
        apart = _distance(theirs, exact(path))
        same = "the same bits" if apart == 0 else f"{apart} bits apart"
        drift = _distance(theirs, fast(path.read_bytes()))
    else:
        same, drift = "peer not installed", _distance(exact(path), fast(path.read_bytes()))
    took = _alternate(calls, repeats)
    peer = {"peer": "threatexchange pdq_from_file", "peer_value": took.get("peer")}
    yield Case(
        f"file → hash, exact, {name} JPEG", took["exact"], "ms", **peer, at_least=promised,
        limit=took["bare"], limit_is="the bare JPEG decode", note=f"gated; {about}; {same}",
    )  # fmt: skip
    yield Case(
        f"file → hash, fast, {name} JPEG", took["fast"], "ms", **peer, at_least=promised_fast,
        limit=1000 * median(bare_times), limit_is="the bare scaled decode",
        note=f"{drift} bits from the peer's",
    )  # fmt: skip


def _drift(*, quick: bool) -> Case:
    """The largest difference between the modes over photographs, sizes, qualities."""
    sizes = ((1025, 1031), (2047, 1533), (700, 2401), (3001, 1999), (4133, 4219))
    drifts = [
        _distance(pdq(decode(data, LIMITS).pixels).hash, fast(data))
        for name in NAMES[:: 4 if quick else 1]
        for number, (width, height) in enumerate(sizes[: 2 if quick else 5])
        for data in (jpeg(picture(name, width, height, number), 35 + 15 * number),)
    ]
    return Case(
        f"largest drift of fast mode over {len(drifts)} pictures", float(max(drifts)), "bits",
        at_most=8, note=f"{mean(drifts):.2f} bits on average; sizes odd and even, qualities 35–95",
    )  # fmt: skip


def _arrays(repeats: int, count: int) -> Iterator[Case]:
    """Several photographs, several crops of each; gating is an average over many pictures."""
    peer = None
    if installed("pdqhash"):
        import pdqhash

        peer = pdqhash.compute
    ours, ungated, theirs, reading, eight, strict = ([] for _ in range(6))
    differ = 0
    draw = np.random.default_rng(3)
    for number in range(count):
        whole = picture(NAMES[number % len(NAMES)], 2300, 1800, number)
        top, left = draw.integers(0, 264), draw.integers(0, 252)
        pixels = np.ascontiguousarray(whole[top : top + 1536, left : left + 2048])
        calls = {
            "gated": lambda pixels=pixels: pdq(pixels),
            "ungated": lambda pixels=pixels: _ungated(pixels),
            "reading": lambda pixels=pixels: pixels.max(),
            "eight": lambda pixels=pixels: pdq_dihedral(pixels),
        }
        took = _alternate(calls, min(repeats, 5))
        ours.append(took["gated"])
        ungated.append(took["ungated"])
        reading.append(took["reading"])
        eight.append(took["eight"])
        strict.append(_is_near(pixels))
        if peer:
            begun = time.perf_counter()
            bits, _ = peer(pixels)
            theirs.append(1000 * (time.perf_counter() - begun))
            differ += np.packbits(bits.astype(np.uint8)).tobytes().hex() != pdq(pixels).hash
    known = {
        "peer": "pdqhash", "peer_value": median(theirs) if theirs else None,
        "limit": median(reading), "limit_is": "reading each byte once",
    }  # fmt: skip
    yield Case("array → hash, 3 MP, ungated", median(ungated), "ms", **known, at_least=80)
    known["peer_value"] = mean(theirs) if theirs else None
    yield Case(
        "array → hash, 3 MP, gated, on average", mean(ours), "ms", **known, at_least=40,
        note=f"{sum(strict)} of {count} pictures needed the reference's order; {differ} differ "
        "from the peer's bits",
    )  # fmt: skip
    yield Case(
        "array → all eight orientations, 3 MP", median(eight), "ms", limit=median(reading),
        limit_is="reading each byte once", note="each the very hash of the turned picture",
    )  # fmt: skip
    begun = time.perf_counter()
    _in_order(pixels)
    yield Case(
        "array → hash, 3 MP, in the reference's order", 1000 * (time.perf_counter() - begun), "ms",
        peer="pdqhash", peer_value=median(theirs) if theirs else None,
    )  # fmt: skip


def _ungated(pixels: np.ndarray[Any, Any]) -> str:
    block = perceptual._folded(pixels, 1)[0]  # noqa: SLF001
    return perceptual._hex(perceptual._transformed(block)[0])  # noqa: SLF001


def _is_near(pixels: np.ndarray[Any, Any]) -> bool:
    """Whether the reference's order is needed."""
    block = perceptual._folded(pixels, 1)[0]  # noqa: SLF001
    gap = perceptual._gap(perceptual._transformed(block)[0])  # noqa: SLF001
    return gap < perceptual._MARGIN  # noqa: SLF001


def _in_order(pixels: np.ndarray[Any, Any]) -> str:
    block = perceptual._in_reference_order(pixels)  # noqa: SLF001
    return perceptual._hex(perceptual._transformed(block)[0])  # noqa: SLF001


def _digests(folder: Path, size: int, repeats: int) -> Case:
    path = folder / "large"
    block = np.random.default_rng(0).bytes(10**7)
    with path.open("wb") as file:
        for _ in range(size // len(block)):
            file.write(block)

    def by_hashlib(*names: str) -> None:
        hashes = [hashlib.new(name) for name in names]
        with path.open("rb") as file:
            while chunk := file.read(2**20):
                for each in hashes:
                    each.update(chunk)

    took = _alternate(
        {
            "ours": lambda: digests_of_file(path),
            "peer": lambda: by_hashlib("md5", "sha1", "sha256"),
            "md5": lambda: by_hashlib("md5"),
        },
        repeats,
        warm=False,
    )
    path.unlink()
    return Case(
        f"md5 + sha1 + sha256 of {size / 1e9:g} GB", took["ours"] / 1000, "s",
        peer="hashlib, one pass", peer_value=took["peer"] / 1000, at_least=1.7,
        limit=took["md5"] / 1000, limit_is="md5 alone",
        note=f"{size / took['ours'] / 1000:,.0f} MB/s from the page cache, on two threads",
    )  # fmt: skip


def _starts() -> Iterator[Case]:
    # As the worker starts: see strandline.hashing.tasks.prepare.
    program = (
        "import sys; sys.modules['scipy'] = None\n"
        "from strandline.hashing.perceptual import load_kernels; load_kernels()"
    )

    def start(code: str, cache: str) -> float:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
        return time.perf_counter() - begun

    with tempfile.TemporaryDirectory() as cache:
        cold = start(program, cache)
        warm = median(start(program, cache) for _ in range(5))
        bare = median(start("import strandline.hashing", cache) for _ in range(5))
    yield Case(
        "fresh process until it can hash", warm, "s", limit=bare,
        limit_is="a process that imports the room", note="kernels from the cache on disk",
    )  # fmt: skip
    yield Case(
        "the same without a cache, once on a machine", cold, "s", limit=warm,
        limit_is="with one", note="kernels are compiled",
    )  # fmt: skip


def _alternate(
    calls: dict[str, Callable[[], object]], repeats: int, *, warm: bool = True
) -> dict[str, float]:
    """Median milliseconds of each call; they take turns, so that all see the same machine."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    if warm:
        for call in calls.values():
            call()
    for _ in range(repeats):
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            took[name].append(time.perf_counter() - begun)
    return {name: 1000 * median(times) for name, times in took.items()}


def _distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()
