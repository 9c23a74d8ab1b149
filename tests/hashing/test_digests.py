import contextlib
import hashlib
import os
import random
import threading
from pathlib import Path

import pytest

from strandline.hashing import Digests, digests, digests_of_file
from strandline.hashing.digests import _AHEAD, _CHUNK, _LARGE


def by_hashlib(data: bytes) -> Digests:
    return Digests(*(hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha256")))


def test_digests_are_those_of_the_standards():
    # RFC 1321 appendix A.5; FIPS 180 examples
    assert digests(b"abc") == Digests(
        md5="900150983cd24fb0d6963f7d28e17f72",
        sha1="a9993e364706816aba3e25717850c26c9cd0d89d",
        sha256="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    )


def test_no_bytes_have_digests_too(tmp_path):
    (tmp_path / "empty").touch()
    assert digests(b"").md5 == "d41d8cd98f00b204e9800998ecf8427e"
    assert digests_of_file(tmp_path / "empty") == digests(b"") == digests(memoryview(b""))


@pytest.mark.parametrize(
    "size",
    [1, _CHUNK - 1, _CHUNK, _CHUNK + 1, _LARGE - 1, _LARGE, _LARGE + 7, (_AHEAD + 3) * _CHUNK + 5],
)
def test_bytes_and_files_of_any_size_have_the_digests_of_hashlib(size, tmp_path):
    data = random.Random(size).randbytes(size)
    (tmp_path / "file").write_bytes(data)
    wanted = by_hashlib(data)
    assert digests(data) == wanted
    assert digests(memoryview(bytearray(data))) == wanted
    assert digests_of_file(tmp_path / "file") == wanted


def test_a_small_file_starts_no_thread(tmp_path, monkeypatch):
    monkeypatch.setitem(digests.__globals__, "ThreadPoolExecutor", None)
    (tmp_path / "file").write_bytes(b"small")
    assert digests_of_file(tmp_path / "file") == by_hashlib(b"small")


def test_a_file_that_is_cut_short_meanwhile_ends_nothing(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(bytes((_AHEAD + 9) * _CHUNK))
    genuine = digests.__globals__["_chunks_of"]

    def cutting(file, size):
        for number, chunk in enumerate(genuine(file, size)):
            if number == 5:
                os.truncate(path, 6 * _CHUNK)
            yield chunk

    monkeypatch.setitem(digests.__globals__, "_chunks_of", cutting)
    assert digests_of_file(path) == by_hashlib(bytes(6 * _CHUNK))


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(OSError, match="not a file") as refused:
            digests_of_file(path)
        assert refused.value.filename == str(path)
    with pytest.raises(FileNotFoundError):
        digests_of_file(tmp_path / "absent")


def test_no_descriptor_and_no_thread_is_left(tmp_path):
    (tmp_path / "large").write_bytes(bytes(_LARGE))

    def held():
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    before = held()
    for path in (tmp_path / "large", tmp_path):
        with contextlib.suppress(OSError):
            digests_of_file(path)
    assert held() == before
