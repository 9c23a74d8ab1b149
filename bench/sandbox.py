"""Files through the sandbox: a folder of mixed pictures on every processor, and its parts.

The peer is the ``threatexchange`` command, which decodes in its own process, on one thread, and
computes no digests. It ends at the first file it cannot read, so it gets only those that can be
read; ours gets all.
"""

import io
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image
from rich.console import Console
from skimage import data as photographs

from bench._apart import apart, installed
from bench.case import Case

#: Of a hundred files. Sizes are the long side in pixels, four to three of height: 0.8 to 3 MP JPEG.
_MIXTURE = (
    (60, "JPEG", (1024, 1400, 1600, 2000), {"quality": 88}),
    (18, "PNG", (640, 900), {"compress_level": 3}),
    (8, "GIF", (400, 640), {}),
    (10, "WEBP", (800, 1200), {"method": 0}),
)
_BROKEN = 4
#: So many are drawn; the rest are copies of these.
_DRAWN = 200


def run(console: Console, *, quick: bool) -> Iterator[Case]:
    """A folder of 2,000 files (100 when quick), then the parts."""
    files = 100 if quick else 2_000
    with tempfile.TemporaryDirectory(prefix="strandline-bench-") as folder:
        console.print(f"  drawing {files:,} files …", style="dim")
        good = _make(Path(folder), files)
        yield _folder(console, Path(folder), files, good)
    yield from _starting(5 if quick else 20)
    yield from _handing_over(10 if quick else 50)


def _make(folder: Path, files: int) -> int:
    """Fill the folder; return how many of its files are whole."""
    chance = random.Random(1)
    sources = [
        Image.fromarray(picture).convert("RGB")
        for picture in (photographs.astronaut(), photographs.coffee(), photographs.chelsea())
    ]
    drawn = min(files, _DRAWN)
    good, made = 0, []
    for share, kind, sides, options in _MIXTURE:
        for number in range(drawn * share // 100):
            side = chance.choice(sides)
            picture = sources[number % 3].resize((side, side * 3 // 4), Image.Resampling.BICUBIC)
            grain = np.random.default_rng(number).integers(-6, 7, (*picture.size[::-1], 1))
            grainy = np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8)
            out = io.BytesIO()
            Image.fromarray(grainy).save(out, kind, **options)
            made.append((kind.lower(), out.getvalue()))
    for number in range(files * (100 - _BROKEN) // 100):
        kind, data = made[number % len(made)]
        (folder / f"{number:05}.{kind}").write_bytes(data)
        good += 1
    for number in range(good, files):
        _, data = made[number % len(made)]
        (folder / f"{number:05}.broken").write_bytes(chance.randbytes(20) + data[20:])
    return good


def _folder(console: Console, folder: Path, files: int, good: int) -> Case:
    whole = sorted(str(path) for path in folder.iterdir() if path.suffix != ".broken")
    assert len(whole) == good
    limit = apart("bench.sandbox:decode_all", folder=str(folder))["seconds"]
    console.print(f"  bare decodes {limit:.1f} s on one thread; ours …", style="dim")
    apart("bench.sandbox:hash_all", folder=str(folder), most=5)  # kernels compiled, files cached
    ours = apart("bench.sandbox:hash_all", folder=str(folder))
    assert (ours["hashed"], ours["refused"]) == (good, files - good), ours
    peer = None
    if installed("threatexchange"):
        console.print(f"  ours {ours['seconds']:.1f} s; the threatexchange command …", style="dim")
        peer = _threatexchange(whole)
    return Case(
        f"a folder of {files:,} mixed files, {ours['workers']} workers",
        ours["seconds"],
        "s",
        peer="the threatexchange command" if peer else None,
        peer_value=peer,
        limit=limit / ours["workers"],
        limit_is=f"our bare decodes ÷ {ours['workers']}",
        at_least=8,
        note=f"Ours: sandboxed, {ours['refused']} broken files too, md5, sha1 and sha256 too, the "
        f"pool's start included. The command: the {good:,} whole files, its start included.",
    )


def hash_all(folder: str, most: int | None = None) -> dict[str, float]:
    """Time ``hash_files`` on the files of a folder, in a process of its own."""
    from strandline.hashing import hash_files
    from strandline.media import Pool

    paths = sorted(Path(folder).iterdir())[:most]
    began = time.perf_counter()
    hashed = sum(found.error is None for found in hash_files(paths))
    seconds = time.perf_counter() - began
    refused = len(paths) - hashed
    return {
        "seconds": seconds, "hashed": hashed, "refused": refused, "workers": Pool().workers
    }  # fmt: skip


def decode_all(folder: str) -> dict[str, float]:
    """Time reading and decoding alone, on one thread."""
    from strandline.media.decoding import decode, prepare
    from strandline.media.limits import Limits

    prepare(Limits())
    paths = sorted(path for path in Path(folder).iterdir() if path.suffix != ".broken")
    began = time.perf_counter()
    for path in paths:
        decode(path.read_bytes(), Limits())
    return {"seconds": time.perf_counter() - began}


def _threatexchange(paths: list[str]) -> float:
    program = "import sys; from threatexchange.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "hash", "-S", "pdq", "photo", *paths]
    began = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds = time.perf_counter() - began
    assert 0 < len(done.stdout.splitlines()) <= len(paths)
    return seconds


def _median(call: Callable[[], object], times: int) -> float:
    """Milliseconds of one call."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


def _starting(times: int) -> Iterator[Case]:
    from strandline.hashing.examiner import MODULES
    from strandline.media import Sandbox

    def start() -> None:
        with Sandbox(modules=MODULES) as sandbox:
            sandbox.run("length", b"")

    alone = _median(start, 3)
    with Sandbox(modules=MODULES) as sandbox:

        def replace() -> None:
            sandbox.interrupt()
            sandbox.run("length", b"")

        replace()
        yield Case(
            "a worker that can hash, ended and replaced",
            _median(replace, times),
            "ms",
            peer="a process of its own",
            peer_value=alone,
            at_most=50,
        )


@contextmanager
def _pipes_only() -> Iterator[None]:
    from strandline.media.area import SharedArea

    with mock.patch.object(SharedArea, "where_possible", return_value=None):
        yield


def _handing_over(times: int) -> Iterator[Case]:
    from strandline.media import Sandbox

    def timed(sandbox: Sandbox, path: Path) -> float:
        size = path.stat().st_size
        assert sandbox.ask("length", path).facts == {"length": size}
        return _median(lambda: sandbox.ask("length", path), times)

    with (
        tempfile.TemporaryDirectory(prefix="strandline-bench-") as folder,
        Sandbox() as shared,
        Sandbox() as piped,
    ):
        path = Path(folder) / "file"
        for size, name in ((50_000, "50 KB"), (1_000_000, "1 MB"), (10_000_000, "10 MB")):
            path.write_bytes(random.Random(size).randbytes(size))
            with _pipes_only():
                by_pipe = timed(piped, path)
            yield Case(
                f"a file of {name} read and handed to a worker, answered",
                timed(shared, path),
                "ms",
                peer="through the pipe",
                peer_value=by_pipe,
                limit=_median(path.read_bytes, times),
                limit_is="reading it",
            )
