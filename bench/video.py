"""Films: a minute of 720p to hashes, against vpdq; and how much is found again.

The film is drawn in the run: H.264 with B frames, shots of photographs that stand, pan and zoom,
with grain. Peer: vpdq (FFmpeg's libraries and PDQ in C++), as it comes. Limit: PyAV decoding every
frame on both cores and throwing it away.
"""

import importlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from bench._films import frames, script, write
from bench.case import Case
from strandline.hashing import FilmHash, Policy, hash_film, open_film_sandbox
from strandline.hashing.folding import FOLD_BITS
from strandline.matching import Index
from strandline.matching.films import entries_of, prefilter

RADIUS = 31


def _seconds(call: Callable[[], Any], rounds: int = 3) -> float:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _bare_decode(path: Path) -> None:
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = "AUTO", 2
        for _ in container.decode(stream):
            pass


def _apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _unlike(film: FilmHash, theirs: list[Any]) -> float:
    """Share in percent of vpdq's frames that no frame of ours at that second is near."""
    far = 0
    for frame in theirs:
        at = [f for f in film.frames if f.start - 0.05 <= frame.timestamp < f.end + 0.05]
        far += frame.quality >= 50 and all(_apart(f.pdq, frame.hex) > RADIUS for f in at)
    return 100 * far / max(1, len(theirs))


def run(console: Console, *, quick: bool = False) -> Iterator[Case]:
    try:
        vpdq = importlib.import_module("vpdq")
    except ImportError as error:
        console.print(f"vpdq cannot be used here ({error}): measured without it.")
        vpdq = None
    with tempfile.TemporaryDirectory() as folder, open_film_sandbox() as sandbox:
        yield from _speed(console, Path(folder), vpdq, sandbox, quick=quick)
        yield from _recall(console, Path(folder), sandbox, count=2 if quick else 6)


def _speed(
    console: Console, folder: Path, vpdq: Any, sandbox: Any, *, quick: bool
) -> Iterator[Case]:
    seconds, size = (12, (640, 360)) if quick else (60, (1280, 720))
    rate, rounds = 30, 1 if quick else 3
    console.print(f"Drawing {seconds} s of film, {size[0]} by {size[1]} …")
    shots = script(seconds, rate, seed=1)
    drawn = frames(shots, size, grain=4)
    path = write(folder / "film.mp4", drawn, rate, "libx264", preset="veryfast", crf="23")
    console.print(f"{path.stat().st_size / 2**20:.0f} MB; hashing it, and by vpdq …")
    what = f"{seconds} s of {size[1]}p H.264"
    film = hash_film(path, sandbox)  # also the first use of the sandbox and of its kernels
    ours = _seconds(lambda: hash_film(path, sandbox), rounds)
    limit = _seconds(lambda: _bare_decode(path), rounds)
    found = vpdq and list(vpdq.computeHash(str(path)))
    theirs = _seconds(lambda: vpdq.computeHash(str(path)), rounds) if vpdq else None
    peer = "vpdq" if vpdq else None
    decode = "the bare decode of every frame, two threads"
    note = "includes md5, sha1 and sha256, and the sandbox"
    yield Case(
        f"{what}, every second", ours, "s", peer, theirs, limit, decode, at_least=1.4, note=note
    )
    if found:
        yield Case(
            f"{what}: vpdq's frames that ours are not within {RADIUS} bits of",
            _unlike(film, found), "%", at_most=2,
            note=f"vpdq gave {len(found)} frames, ours {len(film.frames)} ranges",
        )  # fmt: skip
    alone = _seconds(lambda: hash_film(path, sandbox, policy=Policy.KEYFRAMES), rounds)
    keys = hash_film(path, sandbox, policy=Policy.KEYFRAMES)
    other = np.random.default_rng(1).integers(0, 256, (10_000, 32), np.uint8)
    random = [(f"other-{number}", bytes(row).hex()) for number, row in enumerate(other)]
    index = Index.build([*random, ("still", keys.frames[len(keys.frames) // 2].pdq)])
    assert prefilter(index, path, sandbox)[0]
    yield Case(
        f"{what}, key frames, nothing found", alone, "s", peer, theirs, limit, decode, at_least=10
    )
    hit = _seconds(lambda: prefilter(index, path, sandbox), rounds)
    yield Case(
        f"{what}, key frames and the closer look at one that is found",
        hit, "s", peer, theirs, limit, decode, at_least=10,
        note="against a list of 10,001; recall below",
    )  # fmt: skip


def _recall(console: Console, folder: Path, sandbox: Any, *, count: int) -> Iterator[Case]:
    """Copies: two thirds the size, stronger compressed, cut 0.4 s later, a little brighter."""
    console.print(f"Drawing {count} films and a poor copy of each …")
    entries, whole, copies = [], [], []
    for number in range(count):
        shots, rate = script(40, 15, seed=10 + number), 15
        path = folder / f"{number}.mp4"
        write(path, frames(shots, (480, 270), grain=4), rate, "libx264", preset="veryfast")
        copy = folder / f"{number}-copy.mp4"
        poor = frames(shots, (320, 180), grain=2, skip=6, gain=1.1)
        write(copy, poor, rate, "libx264", preset="veryfast", crf="32", g="40")
        film = hash_film(path, sandbox)
        whole.append(film)
        entries += entries_of(film, f"film-{number}")
        copies.append((f"film-{number}", copy))
    index = Index.build(entries)
    for policy in Policy:
        seen = found = films = 0.0
        for name, copy in copies:
            hashed = hash_film(copy, sandbox, policy=policy)
            answers = index.query_many([frame.pdq for frame in hashed.frames], RADIUS)
            right = [any(match.id.startswith(f"{name}#") for match in each) for each in answers]
            lengths = [frame.end - frame.start for frame in hashed.frames]
            seen += sum(lengths)
            found += sum(length for length, hit in zip(lengths, right, strict=True) if hit)
            films += any(right)
        yield Case(
            f"poor copies of {count} films, {policy}: seconds not found again",
            100 * (1 - found / seen), "%",
            note=f"{films:.0f} of {count} films found",
        )  # fmt: skip
    unfolded = sum(sum(frame.end - frame.start for frame in film.frames) for film in whole)
    yield Case(
        f"ranges per second of film, folded within {FOLD_BITS} bits",
        sum(len(film.frames) for film in whole) / unfolded, "",
        note="1 without folding",
    )  # fmt: skip
